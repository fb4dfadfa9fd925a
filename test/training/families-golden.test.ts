/** RoBERTa, DistilBERT and ELECTRA against PyTorch in float64: test/golden/family_steps.py. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fullFineTuning } from '../../src/adapters/full';
import { houlsby } from '../../src/adapters/houlsby';
import type { Schedule } from '../../src/backends/schedule';
import { openCheckpoint } from '../../src/models/checkpoint';
import { type FrozenEncoder, uploadEncoder } from '../../src/models/frozen-encoder';
import { directorySource } from '../../src/platform/directory';
import { ParameterLayout } from '../../src/scheduler/parameters';
import { frozen, type Tensor } from '../../src/scheduler/tape';
import { batches } from '../../src/training/batches';
import {
  capacityOf,
  inferenceSchedule,
  prefixSchedule,
  type RecordedTask,
  trainingSchedule,
} from '../../src/training/record-task';
import { resolveTask, taskParameters } from '../../src/training/task-spec';
import { useBackend } from '../support/backends';
import { goldenPath, readGolden } from '../support/checkpoint';
import { relativeError } from '../support/compare';

interface Expected {
  readonly sequences: { readonly ids: number[]; readonly typeIds: number[] }[];
  readonly labels: number[];
  readonly logits: number[][];
  readonly loss: number;
}

// As in bert-golden.test.ts.
const TOLERANCE = 1e-4;
const LOGITS_TOLERANCE = 1e-5;

describe.each(['serial', 'tiled', 'wasm'] as const)('against PyTorch, %s kernels', (kind) => {
  const backend = useBackend(kind);

  describe.each(['roberta', 'distilbert', 'electra'])('%s', (family) => {
    const path = (...parts: string[]) => goldenPath('families', family, ...parts);
    const expected: Expected = JSON.parse(readFileSync(path('expected.json'), 'utf8'));
    const examples = expected.sequences.map((sequence, i) => ({
      ...sequence,
      labels: [expected.labels[i] ?? 0],
      weight: 1,
    }));
    const capacity = capacityOf(64, examples.length);
    let encoder: FrozenEncoder;
    let start: Map<string, Float32Array>;

    beforeAll(async () => {
      const checkpoint = await openCheckpoint(directorySource(path('checkpoint')));
      encoder = await uploadEncoder(checkpoint, backend());
      await checkpoint.close();
      start = await readGolden(`families/${family}`, 'parameters.safetensors');
    });
    afterAll(() => encoder.dispose());

    async function recordTask(adapterLayers: number[]): Promise<RecordedTask> {
      const adapter = houlsby({ bottleneck: 4 });
      const spec = resolveTask(
        { labels: ['a', 'b', 'c'], adapter, adapterLayers, dropout: 0, maxLength: 48 },
        encoder,
      );
      const layout = new ParameterLayout(taskParameters(spec, encoder, 0));
      const arena = new Float32Array(layout.size);
      for (const { name } of layout.places) layout.slice(arena, name).set(start.get(name) ?? []);
      const parameters = await backend().allocate(arena.byteLength, 'parameters');
      backend().write(parameters, 0, arena);
      const frozenLayerNorms = new Map<string, Tensor>();
      for (const [place, values] of encoder.layerNorms) {
        for (const part of ['weight', 'bias'] as const) {
          const name = `${place}.layer_norm.${part}`;
          if (layout.has(name)) continue;
          const buffer = await backend().allocate(values[part].byteLength, name);
          backend().write(buffer, 0, values[part]);
          frozenLayerNorms.set(name, frozen(name, buffer, 1, values[part].length));
        }
      }
      return { spec, encoder, layout, parameters, frozenLayerNorms };
    }

    async function run(schedule: Schedule, more: object = {}, lossScale = 1) {
      const executable = await backend().prepare(schedule);
      const options = { batchSize: examples.length, tokenBudget: 64, labels: 'u32' } as const;
      const [logical] = [
        ...batches(
          examples,
          examples.map((_, i) => i),
          options,
        ),
      ];
      const microBatches = logical?.microBatches ?? [];
      const { outputs } = await executable.run({ microBatches, seed: 0, step: 1, lossScale, ...more });
      executable.dispose();
      return outputs[0] ?? new Float32Array();
    }

    it("hidden states of every token after the first layer, as transformers' own model gives them", async () => {
      const hidden = await run(prefixSchedule(await recordTask([1]), capacity));
      const wanted = (await readGolden(`families/${family}`, 'plain.safetensors')).get('hidden.1');
      expect(wanted?.length).toBe(43 * 32);
      expect(relativeError(hidden, wanted ?? [])).toBeLessThan(LOGITS_TOLERANCE);
    });

    it('full fine-tuning trains every number that a token can meet', () => {
      const labels = ['a', 'b', 'c'];
      const spec = resolveTask({ labels, adapter: fullFineTuning(), maxLength: 48 }, encoder);
      const sizes = taskParameters(spec, encoder, 0).map(({ shape }) =>
        shape.reduce((n, size) => n * size, 1),
      );
      const { positionOffset, embeddingSize } = encoder.config;
      const head = 3 * 32 + 3;
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(
        encoder.parameterCount - positionOffset * embeddingSize + head,
      );
    });

    it('logits', async () => {
      const logits = await run(inferenceSchedule(await recordTask([0, 1]), capacity));
      expect(relativeError(logits, expected.logits.flat())).toBeLessThan(LOGITS_TOLERANCE);
    });

    it('loss and every gradient', async () => {
      const task = await recordTask([0, 1]);
      const gradients = await backend().allocate(task.layout.size * 4, 'gradients');
      const arena = new Float32Array(task.layout.size);
      const losses = await run(
        trainingSchedule(task, gradients, capacity),
        { clear: [gradients], readBack: [{ buffer: gradients, into: () => arena }] },
        1 / examples.length,
      );
      const loss = losses.reduce((sum, value) => sum + value, 0) / examples.length;
      expect(Math.abs(loss - expected.loss) / expected.loss).toBeLessThan(TOLERANCE);
      const wanted = await readGolden(`families/${family}`, 'gradients.safetensors');
      expect([...wanted.keys()].sort()).toEqual(task.layout.places.map(({ name }) => name).sort());
      for (const [name, gradient] of wanted) {
        expect(relativeError(task.layout.slice(arena, name), gradient), name).toBeLessThan(TOLERANCE);
      }
    });
  });
});
