/** Multi-label tasks with and without a pooler, saved and run by Python's adapters: the same logits, on its own multi-label head. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createRuntime, houlsby, loadBackbone } from '../../src/index';
import { goldenPath } from '../support/checkpoint';
import { missingPython, runPython } from '../support/python';

const noPython = missingPython('adapters', 'torch', 'transformers');
const LABELS = ['room', 'staff', 'food', 'price'];
const texts = ['love', 'never see an old end', 'too new', 'watch it', 'a charming film, and the best of all'];
const checkpoints = {
  bert: goldenPath('bert', 'checkpoint'),
  distilbert: goldenPath('families', 'distilbert', 'checkpoint'),
};

it.skipIf(noPython !== undefined)(
  `Python's adapters give the same logits${noPython === undefined ? '' : ` (skipped: ${noPython})`}`,
  { timeout: 300_000 },
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'graft-multi-label-'));
    const runtime = await createRuntime({ backend: 'wasm', threads: 1 });
    try {
      const ours = new Map<string, number[][]>();
      for (const [name, checkpoint] of Object.entries(checkpoints)) {
        const backbone = await loadBackbone(checkpoint, { runtime });
        const task = await backbone.createTask({
          name,
          kind: 'multi-label',
          labels: LABELS,
          adapter: houlsby({ bottleneck: 5 }),
        });
        let next = 0;
        task.setParameters((_, present) => present.map((value) => value + 0.1 * Math.sin(next++)));
        const predictions = await task.predict(texts);
        ours.set(
          name,
          predictions.map((prediction) => {
            if (!('labels' in prediction)) throw new Error('not a multi-label prediction');
            return LABELS.map((label) => prediction.scores[label] ?? Number.NaN);
          }),
        );
        const directory = join(root, name);
        mkdirSync(directory);
        for (const [file, bytes] of Object.entries(await task.save()))
          writeFileSync(join(directory, file), bytes);
        const request = { checkpoint, texts: texts.map((text) => [text]), maxLength: 48 };
        writeFileSync(join(directory, 'request.json'), JSON.stringify(request));
        backbone.dispose();
      }
      runPython(goldenPath('adapterhub.py'), 'predict', root);
      for (const [name, found] of ours) {
        const report = JSON.parse(readFileSync(join(root, name, 'logits.json'), 'utf8'));
        expect(report).toMatchObject({
          missing: [],
          unknown: [],
          head: name,
          headType: 'multilabel_classification',
        });
        const theirs: number[][] = report.logits;
        expect(theirs.map((logits) => logits.length)).toEqual(texts.map(() => LABELS.length));
        theirs.forEach((logits, i) => {
          logits.forEach((logit, label) => {
            expect(1 / (1 + Math.exp(-logit)), `${name}, ${i}`).toBeCloseTo(
              found[i]?.[label] ?? Number.NaN,
              5,
            );
          });
        });
        // The answers depend on the text, or this would compare nothing.
        expect(Math.abs((found[0]?.[0] ?? 0) - (found[1]?.[0] ?? 0)), name).toBeGreaterThan(1e-3);
      }
    } finally {
      runtime.dispose();
      rmSync(root, { recursive: true });
    }
  },
);
