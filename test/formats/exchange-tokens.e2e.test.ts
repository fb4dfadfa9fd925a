/** Tasks over tokens that travel: trained here and answered by Python's `adapters`, made there and answered here. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Backbone,
  createRuntime,
  houlsby,
  loadBackbone,
  type Runtime,
  type Task,
} from '../../src/index';
import { goldenPath } from '../support/checkpoint';
import { missingPython, runPython } from '../support/python';

const LABELS = ['B-x', 'I-x', 'O'];
const words = 'love watch end make see never always ever very too slow bright dull old new story'.split(' ');
const texts = Array.from({ length: 20 }, (_, i) =>
  Array.from({ length: 2 + (i % 11) }, (_, j) => words[(7 * i + 3 * j * j + i * j) % words.length] ?? ''),
);
const questions = texts.map((text, i) => ({
  question: texts[(i + 7) % 20]?.slice(0, 3).join(' ') ?? '',
  context: text.join(' '),
}));

const noPython = missingPython('adapters', 'torch', 'safetensors');
const path = goldenPath('bert', 'checkpoint');

describe.skipIf(noPython !== undefined)(
  `a task over tokens${noPython ? ` (skipped: ${noPython})` : ''}`,
  () => {
    const root = mkdtempSync(join(tmpdir(), 'graft-exchange-tokens-'));
    let runtime: Runtime;
    let backbone: Backbone;
    afterAll(() => {
      rmSync(root, { recursive: true });
      runtime.dispose();
    });

    beforeAll(async () => {
      runtime = await createRuntime({ backend: 'wasm' });
      backbone = await loadBackbone(path, { runtime });
      const inputs = { texts, questions: questions.map(({ question, context }) => [question, context]) };
      writeFileSync(join(root, 'inputs.json'), JSON.stringify(inputs));
      for (const kind of ['token-classification', 'question-answering'] as const) {
        const labels = kind === 'token-classification' ? LABELS : [];
        const task = await backbone.createTask({
          kind,
          labels,
          adapter: houlsby({ bottleneck: 8 }),
          maxLength: 64,
        });
        // Random parameters, so that no adapter is near to the identity.
        let seed = 1;
        task.setParameters((name, present) =>
          name.includes('layer_norm')
            ? present
            : present.map(() => {
                seed = (seed * 16807) % 2147483647;
                return (seed / 2147483647 - 0.5) / 3;
              }),
        );
        const directory = join(root, 'here', kind);
        mkdirSync(directory, { recursive: true });
        for (const [file, bytes] of Object.entries(await task.save()))
          writeFileSync(join(directory, file), bytes);
        task.dispose();
      }
      runPython(goldenPath('exchange_tokens.py'), path, root);
    }, 300_000);

    it.each([
      ['trained here answers alike in Python', 'here', 2],
      ['made in Python answers alike here', 'there', 4],
    ])('that was %s', async (_, place, count) => {
      const names = readdirSync(join(root, place));
      expect(names).toHaveLength(count);
      for (const name of names) {
        const directory = join(root, place, name);
        const logits: number[][][] = JSON.parse(readFileSync(join(directory, 'logits.json'), 'utf8'));
        const task = await backbone.loadTask(directory);
        if (task.kind === 'token-classification') await compareTokens(task, logits);
        else await compareAnswers(task, logits);
        task.dispose();
      }
    });
  },
);

async function compareTokens(task: Task, logits: readonly number[][][]): Promise<void> {
  expect(task.labels).toEqual(LABELS);
  const predictions = await task.predict(texts.map((tokens) => ({ tokens })));
  const seen = new Set<string>();
  predictions.forEach((prediction, i) => {
    if (!('tokens' in prediction)) throw new Error('another kind');
    prediction.tokens.forEach(({ label, score }, word) => {
      const row = logits[i]?.[word + 1] ?? [];
      const powers = row.map(Math.exp);
      const probability = (powers[LABELS.indexOf(label)] ?? 0) / powers.reduce((a, b) => a + b, 0);
      expect(Math.max(...row)).toBe(row[LABELS.indexOf(label)]);
      expect(Math.abs(probability - score)).toBeLessThan(1e-5);
      seen.add(label);
    });
  });
  // Not one label everywhere, or this would compare little.
  expect(seen.size).toBeGreaterThan(1);
}

async function compareAnswers(task: Task, logits: readonly number[][][]): Promise<void> {
  expect(task.kind).toBe('question-answering');
  const predictions = await task.predict(questions);
  predictions.forEach((prediction, i) => {
    if (!('candidates' in prediction)) throw new Error('another kind');
    const { question = '', context = '' } = questions[i] ?? {};
    const first = 2 + question.split(' ').length;
    const tokenAt = (unit: number) => first + context.slice(0, unit).split(' ').length - 1;
    const sums = prediction.candidates.map(({ start, end }) => {
      return (logits[i]?.[tokenAt(start)]?.[0] ?? 0) + (logits[i]?.[tokenAt(end)]?.[1] ?? 0);
    });
    expect(Math.max(...sums) - (sums[0] ?? 0)).toBeLessThan(1e-5);
    prediction.candidates.forEach(({ score }, candidate) => {
      const ratio = Math.log(score / (prediction.candidates[0]?.score ?? 0));
      expect(Math.abs(ratio - ((sums[candidate] ?? 0) - (sums[0] ?? 0)))).toBeLessThan(1e-4);
    });
  });
}
