/** Tasks that travel: trained here and answered by Python's libraries, made there and answered here. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AdapterMethod,
  adapterMethod,
  type Backbone,
  createRuntime,
  type Example,
  exportTask,
  houlsby,
  loadBackbone,
  type Runtime,
  type Task,
} from '../../src/index';
import { goldenPath, minilmPath } from '../support/checkpoint';
import { missingPython, runPython } from '../support/python';

const LABELS = ['bad', 'fair', 'good'];
const words = 'love watch end make see never always ever very too slow bright dull old new story'.split(' ');

/** Texts of 1 to 12 words, each another. */
const texts = Array.from({ length: 100 }, (_, i) =>
  Array.from({ length: 1 + (i % 12) }, (_, j) => words[(7 * i + 3 * j * j + i * j) % words.length]).join(' '),
);
const examples: Example[] = texts.map((text, i) => ({ text, label: LABELS[i % 3] ?? '' }));

/** What is trained here: its name, method and layers. */
const methods: [string, AdapterMethod, number[] | undefined][] = [
  ['houlsby', houlsby({ bottleneck: 8 }), undefined],
  ['pfeiffer', adapterMethod('pfeiffer', { bottleneck: 8 }), undefined],
  ['parallel', adapterMethod('parallel', { bottleneck: 8 }), [1]],
  ['peft-lora', adapterMethod('lora', { rank: 4, alpha: 16 }), undefined],
  [
    'peft-lora-all',
    adapterMethod('lora', {
      rank: 2,
      targets: ['query', 'key', 'value', 'attention.output', 'intermediate', 'output'],
    }),
    undefined,
  ],
  ['peft-lora-output', adapterMethod('lora', { rank: 2, targets: ['output'] }), [1]],
  ['peft-ia3', adapterMethod('ia3'), undefined],
  ['peft-ia3-upper', adapterMethod('ia3'), [1]],
];

const noPython = missingPython('adapters', 'peft', 'torch', 'safetensors');
const backbones = [
  { name: 'a small BERT', path: goldenPath('bert', 'checkpoint') },
  { name: 'MiniLM', path: minilmPath() },
].filter(({ path }) => path !== undefined);

describe.each(backbones)('a task on $name', ({ path = '' }) => {
  const root = mkdtempSync(join(tmpdir(), 'graft-exchange-'));
  let runtime: Runtime;
  let backbone: Backbone;
  afterAll(() => {
    rmSync(root, { recursive: true });
    runtime.dispose();
  });

  beforeAll(async () => {
    runtime = await createRuntime({ backend: 'wasm' });
    backbone = await loadBackbone(path, { runtime });
    if (noPython !== undefined) return;
    writeFileSync(join(root, 'texts.json'), JSON.stringify(texts));
    for (const [name, adapter, adapterLayers] of methods) {
      const task = await backbone.createTask({
        labels: LABELS,
        adapter,
        adapterLayers,
        layerNorm: name === 'houlsby' ? 'all' : 'none',
        dropout: 0,
        maxLength: 64,
      });
      const recipe = { epochs: 1, batchSize: 8, learningRate: 3e-3 };
      for await (const _ of task.train(examples.slice(0, 24), recipe));
      const format = name.startsWith('peft') ? 'peft' : 'adapterhub';
      save(name, await task.save({ format }));
      save(`${name}-bin`, await task.save({ format, container: 'bin' }));
      if (format === 'peft') {
        const merged = await exportTask(join(root, 'here', name), { format: 'merged', backbone: path });
        save(`${name}-merged`, merged);
      }
      if (name === 'houlsby') save(`${name}-f16`, await task.save({ format, dtype: 'f16' }));
      task.dispose();
    }
    runPython(goldenPath('exchange.py'), path, root);
  }, 600_000);

  function save(name: string, files: Record<string, Uint8Array>): void {
    const directory = join(root, 'here', name);
    mkdirSync(directory, { recursive: true });
    for (const [file, bytes] of Object.entries(files)) writeFileSync(join(directory, file), bytes);
  }

  const skipped = noPython === undefined ? '' : ` (skipped: ${noPython})`;
  it.skipIf(noPython !== undefined)(`that was trained here answers alike in Python${skipped}`, async () => {
    expect(readdirSync(join(root, 'here'))).toHaveLength(2 * methods.length + 5 + 1);
    await compare(join(root, 'here'));
  });

  it.skipIf(noPython !== undefined)(`that was made in Python answers alike here${skipped}`, async () => {
    expect(readdirSync(join(root, 'there'))).toHaveLength(11);
    await compare(join(root, 'there'));
  });

  /** Every directory's task here against its logits.json. */
  async function compare(directory: string): Promise<void> {
    for (const name of readdirSync(directory)) {
      const theirs: number[][] = JSON.parse(readFileSync(join(directory, name, 'logits.json'), 'utf8'));
      // What was folded into the backbone is no task any more: its logits are compared with those of the task.
      const task = await backbone.loadTask(join(directory, name.replace(/-merged$/, '')));
      const ours = await logProbabilities(task);
      task.dispose();
      expect(ours).toHaveLength(theirs.length);
      let largest = 0;
      let spread = 0;
      theirs.forEach((logits, i) => {
        const sum = Math.log(logits.reduce((total, logit) => total + Math.exp(logit), 0));
        logits.forEach((logit, label) => {
          largest = Math.max(largest, Math.abs(logit - sum - (ours[i]?.[label] ?? Number.NaN)));
          spread = Math.max(spread, Math.abs(logit - (theirs[0]?.[label] ?? 0)));
        });
      });
      expect(largest, name).toBeLessThan(1e-4);
      // The answers depend on the text, or this would compare nothing.
      expect(spread, name).toBeGreaterThan(0.05);
    }
  }
});

/** log softmax of the logits, text by text. */
async function logProbabilities(task: Task): Promise<number[][]> {
  const predictions = await task.predict(texts);
  return predictions.map((prediction) => {
    if (!('scores' in prediction)) throw new Error('a classification was expected');
    // Files of peft do not name the labels.
    return task.labels.map((label) => Math.log(prediction.scores[label] ?? Number.NaN));
  });
}
