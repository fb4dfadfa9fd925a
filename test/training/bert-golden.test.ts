/** The whole model, its gradients and 20 optimizer steps against PyTorch in float64: test/golden/bert_step.py. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { houlsby } from '../../src/adapters/houlsby';
import type { Backend } from '../../src/backends/backend';
import { type EncodedRows, encode } from '../../src/models/bert';
import { openCheckpoint } from '../../src/models/checkpoint';
import { type FrozenEncoder, uploadEncoder } from '../../src/models/frozen-encoder';
import { directorySource } from '../../src/platform/directory';
import { buildSchedule } from '../../src/scheduler/build-schedule';
import { ParameterLayout } from '../../src/scheduler/parameters';
import { frozen, Tape, type Tensor } from '../../src/scheduler/tape';
import { batches, type EncodedExample } from '../../src/training/batches';
import {
  capacityOf,
  inferenceSchedule,
  type RecordedTask,
  taskInEncoder,
  trainingSchedule,
} from '../../src/training/record-task';
import { resolveTask, taskParameters } from '../../src/training/task-spec';
import { runTraining } from '../../src/training/trainer';
import { resolveTraining } from '../../src/training/training-settings';
import type { TaskKind } from '../../src/training/types';
import { useBackend } from '../support/backends';
import { goldenPath, readGolden } from '../support/checkpoint';
import { relativeError } from '../support/compare';

interface Batch {
  readonly sequences: { readonly ids: number[]; readonly typeIds: number[] }[];
  readonly labels: number[];
  readonly targets: number[];
}

interface Expected {
  readonly logits: number[][];
  readonly loss: number;
  readonly gelu_new: { readonly logits: number[][] };
  readonly regression: { readonly logits: number[]; readonly loss: number };
  readonly training: {
    readonly losses: number[];
    readonly gradientNorms: number[];
    readonly learningRates: number[];
  };
  readonly biasCorrected: { readonly losses: number[] };
}

const batch: Batch = JSON.parse(readFileSync(goldenPath('bert', 'batch.json'), 'utf8'));
const expected: Expected = JSON.parse(readFileSync(goldenPath('bert', 'expected.json'), 'utf8'));

// The issue of every bound here: f32 arithmetic on a device against float64.
const TOLERANCE = 1e-4;
/** Tighter than the two forms of GELU differ (1e-4), so that one cannot stand in for the other. */
const LOGITS_TOLERANCE = 1e-5;

function examplesOf(kind: TaskKind): EncodedExample[] {
  const labels = kind === 'regression' ? batch.targets : batch.labels;
  return batch.sequences.map((sequence, index) => ({
    ...sequence,
    labels: [labels[index] ?? Number.NaN],
    weight: 1,
  }));
}

async function recordTask(
  backend: Backend,
  encoder: FrozenEncoder,
  kind: TaskKind,
  values: ReadonlyMap<string, Float32Array>,
  dropout = 0,
): Promise<{ task: RecordedTask; arena: Float32Array }> {
  const spec = resolveTask(
    {
      kind,
      labels: kind === 'regression' ? [] : ['a', 'b', 'c'],
      adapter: houlsby({ bottleneck: 8 }),
      dropout,
    },
    encoder,
  );
  const layout = new ParameterLayout(taskParameters(spec, encoder, 0));
  const arena = new Float32Array(layout.size);
  expect(layout.places.map(({ name }) => name).sort()).toEqual([...values.keys()].sort());
  for (const [name, data] of values) layout.slice(arena, name).set(data);
  const parameters = await backend.allocate(arena.byteLength, 'parameters');
  backend.write(parameters, 0, arena);
  return { task: { spec, encoder, layout, parameters, frozenLayerNorms: new Map() }, arena };
}

/** The encoder alone, without dropout. */
function recordEncoder(tape: Tape, task: RecordedTask, rows: EncodedRows): Tensor {
  const parameter = (name: string) => {
    const { offset, rows, columns } = task.layout.place(name);
    return frozen(name, task.parameters, rows, columns, offset * 4);
  };
  const enter = (_: number, hidden: Tensor) => hidden;
  return encode(tape, task.encoder, taskInEncoder(tape, task, { parameter, isTraining: false, enter }), rows);
}

describe.each(['serial', 'tiled', 'wasm'] as const)('against PyTorch, %s kernels', (kind) => {
  const backend = useBackend(kind);
  let encoder: FrozenEncoder;
  let start: Map<string, Float32Array>;

  beforeAll(async () => {
    const checkpoint = await openCheckpoint(directorySource(goldenPath('bert', 'checkpoint')));
    encoder = await uploadEncoder(checkpoint, backend());
    await checkpoint.close();
    start = await readGolden('bert', 'parameters.safetensors');
  });
  afterAll(() => encoder.dispose());

  /** One forward and backward pass. */
  async function run(
    kind: TaskKind,
    values: ReadonlyMap<string, Float32Array>,
    tokenBudget: number,
    { recompute = false, dropout = 0 } = {},
  ) {
    const { task } = await recordTask(backend(), encoder, kind, values, dropout);
    const gradients = await backend().allocate(task.layout.size * 4, 'gradients');
    const capacity = capacityOf(tokenBudget, 5);
    const executable = await backend().prepare(trainingSchedule(task, gradients, capacity, { recompute }));
    const arena = new Float32Array(task.layout.size);
    const options = { batchSize: 5, tokenBudget, labels: task.spec.head.labelType };
    const [logical] = [...batches(examplesOf(kind), [0, 1, 2, 3, 4], options)];
    const result = await executable.run({
      microBatches: logical?.microBatches ?? [],
      seed: 0,
      step: 1,
      lossScale: 1 / 5,
      clear: [gradients],
      readBack: [{ buffer: gradients, into: () => arena }],
    });
    executable.dispose();
    const losses = result.outputs[0] ?? [];
    const loss = losses.reduce((sum, value) => sum + value, 0) / 5;
    return { loss, losses, layout: task.layout, arena, microBatches: logical?.microBatches.length };
  }

  async function logits(of: FrozenEncoder): Promise<Float32Array> {
    const { task } = await recordTask(backend(), of, 'classification', start);
    const executable = await backend().prepare(inferenceSchedule(task, capacityOf(128, 5)));
    const [logical] = [
      ...batches(examplesOf('classification'), [0, 1, 2, 3, 4], {
        batchSize: 5,
        tokenBudget: 128,
        labels: 'none',
      }),
    ];
    const { outputs } = await executable.run({
      microBatches: logical?.microBatches ?? [],
      seed: 0,
      step: 0,
      lossScale: 1,
    });
    executable.dispose();
    return outputs[0] ?? new Float32Array();
  }

  it("hidden states of every token, and the same of each sequence's first", async () => {
    const { task } = await recordTask(backend(), encoder, 'classification', start);
    const tape = new Tape();
    const every = recordEncoder(tape, task, 'every token');
    const first = recordEncoder(tape, task, 'first tokens');
    const schedule = buildSchedule('hidden', tape.forward(), { every, first }, capacityOf(128, 5));
    const executable = await backend().prepare(schedule);
    const options = { batchSize: 5, tokenBudget: 128, labels: 'none' } as const;
    const [logical] = [...batches(examplesOf('classification'), [0, 1, 2, 3, 4], options)];
    const microBatches = logical?.microBatches ?? [];
    const { outputs } = await executable.run({ microBatches, seed: 0, step: 0, lossScale: 1 });
    executable.dispose();
    const wanted = (await readGolden('bert', 'hidden.safetensors')).get('hidden.2') ?? new Float32Array();
    expect(outputs[0]?.length).toBe(107 * 64);
    expect(relativeError(outputs[0] ?? [], wanted)).toBeLessThan(LOGITS_TOLERANCE);
    const firstRows = [...(microBatches[0]?.offsets.subarray(0, 5) ?? [])].flatMap((token) => [
      ...wanted.subarray(token * 64, (token + 1) * 64),
    ]);
    expect(outputs[1]?.length).toBe(5 * 64);
    expect(relativeError(outputs[1] ?? [], firstRows)).toBeLessThan(LOGITS_TOLERANCE);
  });

  it('logits', async () => {
    expect(relativeError(await logits(encoder), expected.logits.flat())).toBeLessThan(LOGITS_TOLERANCE);
  });

  it('logits with the tanh form of GELU', async () => {
    const other = { ...encoder, config: { ...encoder.config, activation: 'gelu_tanh' as const } };
    expect(relativeError(await logits(other), expected.gelu_new.logits.flat())).toBeLessThan(
      LOGITS_TOLERANCE,
    );
  });

  it.each([
    { taskKind: 'classification', recompute: false },
    { taskKind: 'classification', recompute: true },
    { taskKind: 'regression', recompute: false },
  ] as const)('loss and every gradient: $taskKind, recompute $recompute', async ({ taskKind, recompute }) => {
    const values = new Map(start);
    if (taskKind === 'regression') {
      for (const [name, data] of await readGolden('bert', 'regression_classifier.safetensors'))
        values.set(name, data);
    }
    const { loss, losses, layout, arena } = await run(taskKind, values, 128, { recompute });
    expect(losses.length).toBe(5);
    const wanted = taskKind === 'regression' ? expected.regression.loss : expected.loss;
    expect(Math.abs(loss - wanted) / wanted).toBeLessThan(TOLERANCE);
    const file = taskKind === 'regression' ? 'regression_gradients.safetensors' : 'gradients.safetensors';
    const gradients = await readGolden('bert', file);
    expect(gradients.size).toBe(28);
    for (const [name, gradient] of gradients) {
      expect(relativeError(layout.slice(arena, name), gradient), name).toBeLessThan(TOLERANCE);
    }
  });

  it('micro-batches add up to the whole batch', async () => {
    const whole = await run('classification', start, 128);
    const split = await run('classification', start, 64);
    expect([whole.microBatches, split.microBatches]).toEqual([1, 2]);
    expect(relativeError(split.losses, whole.losses)).toBeLessThan(1e-6);
    for (const { name } of whole.layout.places) {
      const error = relativeError(
        split.layout.slice(split.arena, name),
        whole.layout.slice(whole.arena, name),
      );
      // Sums over tokens in another order.
      expect(error, name).toBeLessThan(1e-5);
    }
  });

  it('recomputation draws the same masks and gives the same gradients', async () => {
    const saved = await run('classification', start, 64, { dropout: 0.1 });
    const again = await run('classification', start, 64, { dropout: 0.1, recompute: true });
    const without = await run('classification', start, 64);
    expect(again.microBatches).toBe(2);
    expect(relativeError(without.arena, saved.arena)).toBeGreaterThan(1e-2);
    if (kind === 'wasm') {
      expect(again.losses).toEqual(saved.losses);
      expect(again.arena).toEqual(saved.arena);
    } else {
      // The same kernels on the same numbers; a driver may still compile or schedule them in its own way.
      expect(relativeError(again.losses, saved.losses)).toBeLessThan(1e-6);
      expect(relativeError(again.arena, saved.arena)).toBeLessThan(1e-6);
    }
  });

  it.each([false, true])('20 AdamW steps, bias correction %s', async (biasCorrection) => {
    const { task, arena } = await recordTask(backend(), encoder, 'classification', start);
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
      examples: examplesOf('classification'),
      tokenBudget: 128,
      settings: resolveTraining({
        epochs: 20,
        batchSize: 5,
        learningRate: 1e-3,
        shuffle: false,
        biasCorrection,
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
    const wanted = biasCorrection ? expected.biasCorrected : expected.training;
    expect(losses.length).toBe(20);
    expect(relativeError(losses, wanted.losses)).toBeLessThan(TOLERANCE);
    if (biasCorrection) return;
    expect(relativeError(norms, expected.training.gradientNorms)).toBeLessThan(TOLERANCE);
    for (const [name, data] of await readGolden('bert', 'parameters_after_20.safetensors')) {
      expect(relativeError(task.layout.slice(next.value.parameters, name), data), name).toBeLessThan(
        TOLERANCE,
      );
    }
  });
});
