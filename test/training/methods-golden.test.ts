/** Every method's forward pass, gradients and first optimizer steps against PyTorch in float64: test/golden/methods.py. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { adapterMethod, METHOD_NAMES } from '../../src/adapters/methods';
import { uploadLayerNorms } from '../../src/models/layer-norms';
import { ParameterLayout } from '../../src/scheduler/parameters';
import { batches, type EncodedExample } from '../../src/training/batches';
import { mergeProducts } from '../../src/training/merge';
import {
  capacityOf,
  inferenceSchedule,
  type RecordedTask,
  trainingSchedule,
} from '../../src/training/record-task';
import { initialArena, resolveTask, taskParameters } from '../../src/training/task-spec';
import { runTraining } from '../../src/training/trainer';
import { resolveTraining } from '../../src/training/training-settings';
import { useBackend } from '../support/backends';
import { goldenPath } from '../support/checkpoint';
import { relativeError } from '../support/compare';
import { useGoldenBert } from '../support/golden-bert';
import { startingTensor } from '../support/golden-formula';
import { expectSummaries } from '../support/summaries';

interface Case {
  readonly method: string;
  readonly options: Record<string, unknown>;
  readonly layerNorm: 'all' | 'biases' | 'none';
  readonly layers: number[];
  readonly ordinals: Record<string, number>;
  readonly logits: number[][];
  readonly losses: number[];
  readonly gradientNorms: number[];
  readonly gradients: Record<string, number[]>;
  readonly parameters: Record<string, number[]>;
}

interface Golden {
  readonly steps: number;
  readonly peakLearningRate: number;
  readonly cases: Record<string, Case>;
}

const golden: Golden = JSON.parse(readFileSync(goldenPath('methods.json'), 'utf8'));
const batch: { sequences: { ids: number[]; typeIds: number[] }[]; labels: number[] } = JSON.parse(
  readFileSync(goldenPath('bert', 'batch.json'), 'utf8'),
);
const examples: EncodedExample[] = batch.sequences.map((sequence, index) => ({
  ...sequence,
  labels: [batch.labels[index] ?? Number.NaN],
  weight: 1,
}));
const order = [...examples.keys()];

/** f32 arithmetic on a device against float64. */
const TOLERANCE = 1e-4;
const LOGITS_TOLERANCE = 1e-5;

it('there is a case of every method', () => {
  const methods = new Set(Object.values(golden.cases).map(({ method }) => method));
  expect([...methods].sort()).toEqual([...METHOD_NAMES].sort());
});

describe.each(['serial', 'tiled', 'wasm'] as const)('against PyTorch, %s kernels', (kind) => {
  const backend = useBackend(kind);
  const encoder = useGoldenBert(backend);

  async function record(item: Case): Promise<{ task: RecordedTask; arena: Float32Array }> {
    const adapter = adapterMethod(item.method, item.options);
    const spec = resolveTask(
      {
        labels: ['a', 'b', 'c'],
        adapter,
        dropout: 0,
        ...(adapter.canChooseLayers ? { adapterLayers: item.layers } : {}),
        ...(item.layerNorm === 'biases' ? {} : { layerNorm: item.layerNorm }),
      },
      encoder(),
    );
    expect(spec.adapterLayers).toEqual(adapter.kind === 'full' ? [0, 1] : item.layers);
    expect(spec.layerNorm).toBe(item.layerNorm);
    const specs = taskParameters(spec, encoder(), 0);
    const layout = new ParameterLayout(specs);
    expect(layout.tensors.map(({ name }) => name).sort()).toEqual(Object.keys(item.gradients).sort());
    const arena = await initialArena(specs, layout);
    for (const [name, ordinal] of Object.entries(item.ordinals)) {
      const values = layout.slice(arena, name);
      values.set(startingTensor(name, ordinal, values.length));
    }
    const upload = async (values: Float32Array, label: string) => {
      const buffer = await backend().allocate(values.byteLength, label);
      backend().write(buffer, 0, values);
      return buffer;
    };
    const frozenLayerNorms = await uploadLayerNorms(encoder(), upload, (name) => !layout.has(name));
    const parameters = await upload(arena, 'parameters');
    return { task: { spec, encoder: encoder(), layout, parameters, frozenLayerNorms }, arena };
  }

  async function expectLogits(task: RecordedTask, item: Case): Promise<void> {
    const executable = await backend().prepare(inferenceSchedule(task, capacityOf(128, 5)));
    const split = { batchSize: 5, tokenBudget: 128, labels: 'none' } as const;
    const [logical] = batches(examples, order, split);
    const { outputs } = await executable.run({
      microBatches: logical?.microBatches ?? [],
      seed: 0,
      step: 0,
      lossScale: 1,
    });
    executable.dispose();
    expect(relativeError(outputs[0] ?? [], item.logits.flat())).toBeLessThan(LOGITS_TOLERANCE);
  }

  describe.each(Object.entries(golden.cases))('%s', (_, item) => {
    it('logits', async () => {
      await expectLogits((await record(item)).task, item);
    });

    const { merge } = adapterMethod(item.method, item.options);
    it.runIf(merge !== undefined)("merged, the same logits by the bare encoder's dispatches", async () => {
      const { task, arena } = await record(item);
      const { adapter, adapterLayers } = task.spec;
      const parameter = (name: string) => task.layout.slice(arena, name);
      const merged = await mergeProducts(backend(), encoder(), adapter, adapterLayers, parameter);
      const mergedTask = { ...task, merged: merged.products };
      await expectLogits(mergedTask, item);
      const bare = golden.cases.head;
      if (bare === undefined) throw new Error('there is no case of the head alone');
      const kernels = (recorded: RecordedTask) =>
        inferenceSchedule(recorded, capacityOf(128, 5)).dispatches.map(({ kernel, params }) => [
          kernel.name,
          params,
        ]);
      expect(kernels(mergedTask)).toEqual(kernels((await record(bare)).task));
      expect(kernels(task).length).toBeGreaterThan(kernels(mergedTask).length);
      merged.dispose();
    });

    it.each([false, true])(
      'loss and every gradient, in two micro-batches, recompute %s',
      async (recompute) => {
        const { task } = await record(item);
        const gradients = await backend().allocate(task.layout.size * 4, 'gradients');
        const schedule = trainingSchedule(task, gradients, capacityOf(64, 5), { recompute });
        const executable = await backend().prepare(schedule);
        const found = new Float32Array(task.layout.size);
        const split = { batchSize: 5, tokenBudget: 64, labels: 'u32' } as const;
        const [logical] = batches(examples, order, split);
        expect(logical?.microBatches.length).toBe(2);
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
        expect(Math.abs(loss / (item.losses[0] ?? Number.NaN) - 1)).toBeLessThan(TOLERANCE);
        expectSummaries((name) => task.layout.slice(found, name), item.gradients, TOLERANCE);
      },
    );

    it('five AdamW steps', async () => {
      const { task, arena } = await record(item);
      const gradients = await backend().allocate(task.layout.size * 4, 'gradients');
      const executable = await backend().prepare(trainingSchedule(task, gradients, capacityOf(128, 5)));
      const run = runTraining({
        backend: backend(),
        executable,
        layout: task.layout,
        parameters: task.parameters,
        gradients,
        initial: arena,
        labelType: 'u32',
        examples,
        tokenBudget: 128,
        settings: resolveTraining({
          epochs: golden.steps,
          batchSize: 5,
          learningRate: golden.peakLearningRate,
          shuffle: false,
        }),
        conditions: {},
        evaluate: undefined,
        options: {},
      });
      const losses: number[] = [];
      const norms: number[] = [];
      let next = await run.next();
      for (; next.done !== true; next = await run.next()) {
        if (next.value.type !== 'step') continue;
        losses.push(next.value.loss);
        norms.push(next.value.gradientNorm);
      }
      executable.dispose();
      const { parameters } = next.value;
      expect(relativeError(losses, item.losses)).toBeLessThan(TOLERANCE);
      expect(relativeError(norms, item.gradientNorms)).toBeLessThan(TOLERANCE);
      expectSummaries((name) => task.layout.slice(parameters, name), item.parameters, TOLERANCE);
    });
  });
});
