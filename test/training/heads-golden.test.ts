/** The heads' losses, and training steps with them, against PyTorch in float64: test/golden/heads.py. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { houlsby } from '../../src/adapters/houlsby';
import type { DeviceBuffer } from '../../src/backends/schedule';
import { binaryCrossEntropy } from '../../src/ops/binary_cross_entropy';
import { crossEntropy, IGNORED_LABEL } from '../../src/ops/cross_entropy';
import { differentiate } from '../../src/scheduler/backward';
import { buildSchedule } from '../../src/scheduler/build-schedule';
import { packBatch } from '../../src/scheduler/packed-batch';
import { ParameterLayout } from '../../src/scheduler/parameters';
import { frozen, Tape } from '../../src/scheduler/tape';
import { batches, type EncodedExample } from '../../src/training/batches';
import { classificationHead } from '../../src/training/heads/classification';
import { capacityOf, type RecordedTask, trainingSchedule } from '../../src/training/record-task';
import { resolveTask, taskParameters } from '../../src/training/task-spec';
import { runTraining } from '../../src/training/trainer';
import { resolveTraining } from '../../src/training/training-settings';
import type { ClassWeights, TaskKind } from '../../src/training/types';
import golden from '../golden/heads.json' with { type: 'json' };
import { useBackend } from '../support/backends';
import { goldenPath, readGolden } from '../support/checkpoint';
import { relativeError } from '../support/compare';
import { useGoldenBert } from '../support/golden-bert';
import { expectSummaries } from '../support/summaries';

/** f32 arithmetic on a device against float64. */
const TOLERANCE = 1e-4;
/** Of a loss alone: a few sums. */
const LOSS_TOLERANCE = 2e-6;

const PYTORCH_IGNORED = -100;
const LABELS = ['a', 'b', 'c'];
const batch: { sequences: { ids: number[]; typeIds: number[] }[]; labels: number[] } = JSON.parse(
  readFileSync(goldenPath('bert', 'batch.json'), 'utf8'),
);

const byLabel = (weights: readonly number[]): ClassWeights =>
  Object.fromEntries(LABELS.map((label, i) => [label, weights[i] ?? Number.NaN]));

const runs = [
  { name: 'multi-label', kind: 'multi-label', weights: undefined },
  { name: 'multi-label, weighted', kind: 'multi-label', weights: byLabel(golden.positiveWeights) },
  { name: 'classification, weighted', kind: 'classification', weights: byLabel(golden.classWeights) },
] as const;

it('balanced weights of classes are those of scikit-learn', () => {
  const weighing = classificationHead(LABELS).weigh?.('balanced', examplesOf('classification'));
  expect(weighing?.weights).toEqual(Float32Array.from(golden.balanced));
});

function examplesOf(kind: TaskKind): EncodedExample[] {
  return batch.sequences.map((sequence, index) => ({
    ...sequence,
    labels: kind === 'multi-label' ? (golden.multiLabels[index] ?? []) : [batch.labels[index] ?? Number.NaN],
    weight: 1,
  }));
}

describe.each(['serial', 'tiled', 'wasm'] as const)('against PyTorch, %s kernels', (kind) => {
  const backend = useBackend(kind);
  const encoder = useGoldenBert(backend);

  async function upload(values: Float32Array, label: string): Promise<DeviceBuffer> {
    const buffer = await backend().allocate(values.byteLength, label);
    backend().write(buffer, 0, values);
    return buffer;
  }

  describe.each([
    ...golden.losses.crossEntropy.map((item) => ({ op: 'cross_entropy' as const, ...item })),
    ...golden.losses.binaryCrossEntropy.map((item) => ({ op: 'binary_cross_entropy' as const, ...item })),
  ])('$op, $name', ({ op, logits: rows, labels, weights, loss: wanted, gradient }) => {
    it('loss and gradient', async () => {
      const columns = rows[0]?.length ?? 0;
      const values = Float32Array.from(rows.flat());
      const logits = {
        ...frozen('logits', await upload(values, 'logits'), rows.length, columns),
        rows: 'sequences' as const,
        requiresGradient: true,
      };
      const weightBuffer = weights === null ? undefined : await upload(Float32Array.from(weights), 'weights');
      const weightTensor = weightBuffer && frozen('weights', weightBuffer, 1, columns);
      const tape = new Tape();
      const record = op === 'cross_entropy' ? crossEntropy : binaryCrossEntropy;
      const loss = record(tape, logits, weightTensor);
      const { gradients } = differentiate(tape, new Map([[loss, loss]]));
      const logitsGradient = gradients.get(logits);
      if (logitsGradient === undefined) throw new Error('the logits have no gradient');
      const numbers = labels.flat();
      const counted = numbers.filter((label) => label !== PYTORCH_IGNORED);
      const divisor =
        op === 'cross_entropy'
          ? counted.reduce((sum, label) => sum + (weights === null ? 1 : (weights[label] ?? Number.NaN)), 0)
          : rows.length;
      const packed = packBatch({
        sequences: rows.map(() => ({ ids: [1], typeIds: [0] })),
        labels:
          op === 'cross_entropy'
            ? Uint32Array.from(numbers, (label) => (label === PYTORCH_IGNORED ? IGNORED_LABEL : label))
            : Float32Array.from(numbers),
        tokenOffset: 0,
        sequenceOffset: 0,
      });
      const schedule = buildSchedule('loss', tape.forward(), { loss, logitsGradient }, packed);
      const executable = await backend().prepare(schedule);
      const { outputs } = await executable.run({
        microBatches: [packed],
        seed: 0,
        step: 1,
        lossScale: 1 / divisor,
      });
      executable.dispose();
      const mean = (outputs[0] ?? []).reduce((sum, value) => sum + value, 0) / divisor;
      expect(Math.abs(mean / wanted - 1)).toBeLessThan(LOSS_TOLERANCE);
      expect(relativeError(outputs[1] ?? [], gradient.flat())).toBeLessThan(LOSS_TOLERANCE);
    });
  });

  describe.each(runs)('$name', ({ name, kind: taskKind, weights }) => {
    const wanted = golden.runs[name];

    async function record() {
      const spec = resolveTask(
        { kind: taskKind, labels: LABELS, adapter: houlsby({ bottleneck: 8 }), dropout: 0 },
        encoder(),
      );
      const layout = new ParameterLayout(taskParameters(spec, encoder(), 0));
      const arena = new Float32Array(layout.size);
      const start = await readGolden('bert', 'parameters.safetensors');
      for (const { name } of layout.places) layout.slice(arena, name).set(start.get(name) ?? []);
      const task: RecordedTask = {
        spec,
        encoder: encoder(),
        layout,
        parameters: await upload(arena, 'parameters'),
        frozenLayerNorms: new Map(),
      };
      const weighing = weights && spec.head.weigh?.(weights, examplesOf(taskKind));
      const examples = weighing?.examples ?? examplesOf(taskKind);
      const classWeights = weighing && (await upload(weighing.weights, 'class weights'));
      const gradients = await backend().allocate(layout.size * 4, 'gradients');
      return { task, arena, examples, gradients, classWeights };
    }

    it('every gradient, in two micro-batches', async () => {
      const { task, examples, gradients, classWeights } = await record();
      const schedule = trainingSchedule(task, gradients, capacityOf(64, 5), { classWeights });
      const executable = await backend().prepare(schedule);
      const found = new Float32Array(task.layout.size);
      const { labelType } = task.spec.head;
      const split = { batchSize: 5, tokenBudget: 64, labels: labelType };
      const [logical] = batches(examples, [0, 1, 2, 3, 4], split);
      if (logical === undefined) throw new Error('no batch');
      expect(logical.microBatches.length).toBe(2);
      await executable.run({
        microBatches: logical.microBatches,
        seed: 0,
        step: 1,
        lossScale: 1 / logical.weight,
        clear: [gradients],
        readBack: [{ buffer: gradients, into: () => found }],
      });
      executable.dispose();
      expectSummaries((tensor) => task.layout.slice(found, tensor), wanted.gradients, TOLERANCE);
    });

    it('five AdamW steps', async () => {
      const { task, arena, examples, gradients, classWeights } = await record();
      const schedule = trainingSchedule(task, gradients, capacityOf(64, 5), { classWeights });
      const executable = await backend().prepare(schedule);
      const run = runTraining({
        backend: backend(),
        executable,
        layout: task.layout,
        parameters: task.parameters,
        gradients,
        initial: arena,
        labelType: task.spec.head.labelType,
        examples,
        tokenBudget: 64,
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
      const epochLosses: number[] = [];
      const norms: number[] = [];
      let next = await run.next();
      for (; next.done !== true; next = await run.next()) {
        if (next.value.type === 'epoch') epochLosses.push(next.value.trainLoss);
        if (next.value.type !== 'step') continue;
        losses.push(next.value.loss);
        norms.push(next.value.gradientNorm);
      }
      executable.dispose();
      const { parameters } = next.value;
      expect(relativeError(losses, wanted.losses)).toBeLessThan(TOLERANCE);
      // An epoch is one batch.
      expect(relativeError(epochLosses, losses)).toBeLessThan(1e-12);
      expect(relativeError(norms, wanted.gradientNorms)).toBeLessThan(TOLERANCE);
      expectSummaries((tensor) => task.layout.slice(parameters, tensor), wanted.parameters, TOLERANCE);
    });
  });
});
