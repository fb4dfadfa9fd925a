/** Stacks and means of adapters against Python's `adapters` in float64: test/golden/composition.py. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { adapterMethod } from '../../src/adapters/methods';
import type { DeviceBuffer } from '../../src/backends/schedule';
import { uploadLayerNorms } from '../../src/models/layer-norms';
import { ParameterLayout } from '../../src/scheduler/parameters';
import { loadBackbone } from '../../src/training/backbone';
import { batches, type EncodedExample } from '../../src/training/batches';
import {
  capacityOf,
  inferenceSchedule,
  type RecordedTask,
  trainingSchedule,
} from '../../src/training/record-task';
import { createRuntime } from '../../src/training/runtime';
import { initialArena, resolveTask, taskParameters } from '../../src/training/task-spec';
import { useBackend } from '../support/backends';
import { goldenPath } from '../support/checkpoint';
import { relativeError } from '../support/compare';
import { useGoldenBert } from '../support/golden-bert';
import { startingTensor } from '../support/golden-formula';
import { expectSummaries } from '../support/summaries';

interface Level {
  readonly method: string;
  readonly options: Record<string, unknown>;
  readonly layers: number[];
  readonly ordinals: Record<string, number>;
}

interface Stack {
  readonly lower: Level;
  readonly upper: Level;
  readonly headOrdinals: Record<string, number>;
  readonly logits: number[][];
  readonly loss: number;
  readonly gradients: Record<string, number[]>;
}

interface Mean {
  readonly method: string;
  readonly options: Record<string, unknown>;
  readonly weights: number[] | null;
  readonly ordinals: Record<string, number>[];
  readonly parameters: Record<string, number[]>;
}

const golden: { stacks: Record<string, Stack>; means: Record<string, Mean> } = JSON.parse(
  readFileSync(goldenPath('composition.json'), 'utf8'),
);
const batch: { sequences: { ids: number[]; typeIds: number[] }[]; labels: number[] } = JSON.parse(
  readFileSync(goldenPath('bert', 'batch.json'), 'utf8'),
);
const examples: EncodedExample[] = batch.sequences.map((sequence, index) => ({
  ...sequence,
  labels: [batch.labels[index] ?? Number.NaN],
  weight: 1,
}));

/** f32 arithmetic on a device against float64. */
const TOLERANCE = 1e-4;
const LOGITS_TOLERANCE = 1e-5;

describe.each(['serial', 'tiled', 'wasm'] as const)('stacks against PyTorch, %s kernels', (kind) => {
  const backend = useBackend(kind);
  const encoder = useGoldenBert(backend);

  async function upload(values: Float32Array, label: string): Promise<DeviceBuffer> {
    const buffer = await backend().allocate(values.byteLength, label);
    backend().write(buffer, 0, values);
    return buffer;
  }

  async function level(name: string, { method, options, layers, ordinals }: Level) {
    const adapter = adapterMethod(method, options);
    const labels = ['a', 'b', 'c'];
    const given = { name, labels, adapter, dropout: 0, adapterLayers: layers, layerNorm: 'none' } as const;
    const spec = resolveTask(given, encoder());
    const specs = taskParameters(spec, encoder(), 0);
    const layout = new ParameterLayout(specs);
    const arena = await initialArena(specs, layout);
    for (const [tensor, ordinal] of Object.entries(ordinals)) {
      const values = layout.slice(arena, tensor);
      values.set(startingTensor(tensor, ordinal, values.length));
    }
    return { spec, layout, arena, parameters: await upload(arena, name) };
  }

  async function record({ lower, upper, headOrdinals }: Stack): Promise<RecordedTask> {
    const ordinals = { ...upper.ordinals, ...headOrdinals };
    const frozenLayerNorms = await uploadLayerNorms(encoder(), upload, () => true);
    const below = [await level('lower', lower)];
    return { encoder: encoder(), frozenLayerNorms, below, ...(await level('upper', { ...upper, ordinals })) };
  }

  describe.each(Object.entries(golden.stacks))('%s', (_, item) => {
    it('logits', async () => {
      const executable = await backend().prepare(inferenceSchedule(await record(item), capacityOf(128, 5)));
      const split = { batchSize: 5, tokenBudget: 128, labels: 'none' } as const;
      const [logical] = batches(examples, [...examples.keys()], split);
      const { microBatches = [] } = logical ?? {};
      const { outputs } = await executable.run({ microBatches, seed: 0, step: 0, lossScale: 1 });
      executable.dispose();
      expect(relativeError(outputs[0] ?? [], item.logits.flat())).toBeLessThan(LOGITS_TOLERANCE);
    });

    it.each([false, true])('loss and every gradient of the upper one, recompute %s', async (recompute) => {
      const task = await record(item);
      const names = task.layout.tensors.map(({ name }) => name);
      expect(names.sort()).toEqual(Object.keys(item.gradients).sort());
      const gradients = await backend().allocate(task.layout.size * 4, 'gradients');
      const executable = await backend().prepare(
        trainingSchedule(task, gradients, capacityOf(128, 5), { recompute }),
      );
      const found = new Float32Array(task.layout.size);
      const split = { batchSize: 5, tokenBudget: 128, labels: 'u32' } as const;
      const [logical] = batches(examples, [...examples.keys()], split);
      const { outputs } = await executable.run({
        microBatches: logical?.microBatches ?? [],
        seed: 0,
        step: 1,
        lossScale: 1 / 5,
        clear: [gradients],
        readBack: [{ buffer: gradients, into: () => found }],
      });
      executable.dispose();
      const loss = (outputs[0] ?? []).reduce((sum, value) => sum + value, 0) / 5;
      expect(Math.abs(loss / item.loss - 1)).toBeLessThan(TOLERANCE);
      expectSummaries((name) => task.layout.slice(found, name), item.gradients, TOLERANCE);
    });
  });
});

describe('means against adapters', () => {
  it.each(Object.entries(golden.means))(
    '%s',
    async (_, { method, options, weights, ordinals, parameters }) => {
      const runtime = await createRuntime({ backend: 'wasm', threads: 1 });
      const backbone = await loadBackbone(goldenPath('bert', 'checkpoint'), { runtime });
      const tasks = await Promise.all(
        ordinals.map(async (own) => {
          const task = await backbone.createTask({
            labels: ['a', 'b'],
            adapter: adapterMethod(method, options),
            layerNorm: 'none',
          });
          task.setParameters((name, present) => {
            const ordinal = own[name];
            return ordinal === undefined ? present : startingTensor(name, ordinal, present.length);
          });
          return task;
        }),
      );
      const mean = await backbone.averageTasks(tasks, weights === null ? {} : { weights });
      const found = new Map<string, Float32Array>();
      mean.setParameters((name, present) => {
        found.set(name, present.slice());
        return present.slice();
      });
      // Each number is rounded to f32 once.
      expectSummaries((name) => found.get(name) ?? [], parameters, 1e-6);
      expect(found.size).toBe(Object.keys(parameters).length + 2);
      backbone.dispose();
      runtime.dispose();
    },
  );
});
