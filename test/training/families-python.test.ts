/** Tasks on each family's backbone, saved and run by Python's adapters: the same logits. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { houlsby } from '../../src/adapters/houlsby';
import { loadBackbone } from '../../src/training/backbone';
import { Random } from '../../src/training/random';
import { createRuntime } from '../../src/training/runtime';
import { goldenPath } from '../support/checkpoint';
import { missingPython, runPython } from '../support/python';

const noPython = missingPython('adapters', 'torch', 'transformers');

/** 100 texts, every fourth with a second one, some of them longer than the backbones take. */
function inputs(): { text: string; pair?: string }[] {
  const texts = readFileSync(join(import.meta.dirname, '../../examples/data/reviews.train.tsv'), 'utf8')
    .split('\n')
    .slice(1, 101)
    .map((line) => line.split('\t')[0] ?? '');
  return texts.map((text, i) => (i % 4 === 3 ? { text, pair: texts[(i * 7) % 100] ?? '' } : { text }));
}

it.skipIf(noPython !== undefined)(
  `Python's adapters give the same logits${noPython === undefined ? '' : ` (skipped: ${noPython})`}`,
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'graft-families-'));
    const runtime = await createRuntime({ backend: 'wasm', threads: 1 });
    try {
      const ours = new Map<string, number[][]>();
      const texts = inputs();
      expect(texts.length).toBe(100);
      for (const family of ['roberta', 'distilbert', 'electra']) {
        const checkpoint = goldenPath('families', family, 'checkpoint');
        const backbone = await loadBackbone(checkpoint, { runtime });
        const labels = ['bad', 'fair', 'good'];
        const task = await backbone.createTask({ name: family, labels, adapter: houlsby({ bottleneck: 5 }) });
        task.setParameters((name, present) => {
          const random = new Random(1, name);
          return present.map((value) => value + random.truncatedNormal(0.1));
        });
        const predictions = await task.predict(texts);
        ours.set(
          family,
          predictions.map((prediction) => {
            if (!('scores' in prediction)) throw new Error('not a classification');
            return labels.map((label) => Math.log(prediction.scores[label] ?? 0));
          }),
        );
        const directory = join(root, family);
        mkdirSync(directory);
        for (const [name, bytes] of Object.entries(await task.save()))
          writeFileSync(join(directory, name), bytes);
        const request = {
          checkpoint,
          texts: texts.map(({ text, pair }) => (pair === undefined ? [text] : [text, pair])),
          maxLength: 48,
        };
        writeFileSync(join(directory, 'request.json'), JSON.stringify(request));
        backbone.dispose();
      }
      runPython(goldenPath('adapterhub.py'), 'predict', root);
      for (const [family, found] of ours) {
        const report = JSON.parse(readFileSync(join(root, family, 'logits.json'), 'utf8'));
        expect(report).toMatchObject({ missing: [], unknown: [], head: family });
        const theirs: number[][] = report.logits;
        expect(theirs.length).toBe(100);
        let largest = 0;
        theirs.forEach((logits, i) => {
          const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
          logits.forEach((logit, k) => {
            largest = Math.max(largest, Math.abs(logit - total - (found[i]?.[k] ?? Number.NaN)));
          });
        });
        expect(largest, family).toBeLessThan(1e-4);
      }
    } finally {
      runtime.dispose();
      rmSync(root, { recursive: true });
    }
  },
  300_000,
);
