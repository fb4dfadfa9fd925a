import type { Backend } from '../../src/backends/backend';
import { countRows, type Dispatch } from '../../src/backends/kernel';
import { GraftError } from '../../src/errors';
import { differentiate } from '../../src/scheduler/backward';
import { buildSchedule } from '../../src/scheduler/build-schedule';
import type { PackedBatch } from '../../src/scheduler/packed-batch';
import { Tape, type Tensor } from '../../src/scheduler/tape';
import { type Effort, timeOne } from '../timing';
import type { KernelBenchmark, Measured } from './benchmark';
import type { Inputs } from './inputs';

type Dispatches = readonly Dispatch<Tensor>[];

export interface RecordedBenchmark {
  readonly forward: Dispatches;
  readonly backward: Dispatches;
}

/** Records the op and its backward pass for a random gradient of its output. */
export async function recordBenchmark(
  benchmark: KernelBenchmark,
  inputs: Inputs,
): Promise<RecordedBenchmark> {
  const tape = new Tape();
  const output = await benchmark.record(tape, inputs);
  const outputGradient = await inputs.tensor('output gradient', output.rows, output.columns, 'frozen');
  const { dispatches } = differentiate(tape, new Map([[output, outputGradient]]));
  return { forward: tape.forward(), backward: dispatches };
}

/** The kernels of a row, and what must run before them. */
export interface Selection {
  readonly before: Dispatches;
  readonly measured: Dispatches;
}

/** @throws GraftError where the row names no kernel of the op */
export function select(
  { forward, backward }: RecordedBenchmark,
  { kernel, pass, only }: Measured,
): Selection {
  const all = pass === 'forward' ? forward : backward;
  const measured = only === undefined ? all : all.filter((item) => item.kernel.name.startsWith(only));
  const [first] = measured;
  if (first === undefined) throw new GraftError(`no kernel runs in ${kernel}`);
  const before = all.slice(0, all.indexOf(first));
  return { before: pass === 'forward' ? before : [...forward, ...before], measured };
}

/** Bytes that the kernels must read and write: each buffer once, and twice where they add to it. */
export function contractBytes(measured: Dispatches, batch: PackedBatch): number {
  const bytes = measured.map((item) => {
    const accesses = Object.values(item.kernel.bindings);
    // What is absent has another tensor bound in its place, which is counted once.
    const times = new Map(
      item.buffers.map((tensor, index) => [tensor, accesses[index] === 'accumulate' ? 2 : 1] as const),
    );
    return [...times].reduce(
      (sum, [tensor, count]) => sum + count * countRows(tensor.rows, batch) * tensor.columns * 4,
      0,
    );
  });
  return bytes.reduce((sum, value) => sum + value, 0);
}

/** Milliseconds of the selected kernels, replayed many times in one submission. */
export async function timeKernels(
  backend: Backend,
  batch: PackedBatch,
  { before, measured }: Selection,
  effort: Effort,
): Promise<number> {
  // Reading anything back at all is what makes a run wait for the device.
  const mark = await backend.allocate(16, 'mark');
  const into = new Float32Array(4);
  const request = {
    microBatches: [batch],
    seed: 1,
    step: 1,
    lossScale: 1 / batch.sequenceCount,
    readBack: [{ buffer: mark, into: () => into }],
  };
  try {
    return await timeOne(async (repeats) => {
      const repeated = Array.from({ length: repeats }, () => measured).flat();
      const executable = await backend.prepare(
        buildSchedule('benchmark', [...before, ...repeated], {}, batch),
      );
      return {
        async run() {
          const started = performance.now();
          await executable.run(request);
          return performance.now() - started;
        },
        dispose: () => executable.dispose(),
      };
    }, effort);
  } finally {
    mark.dispose();
  }
}
