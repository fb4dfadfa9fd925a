/** What the kernel benchmarks share: an op recorded on random inputs, replayed many times in one submission. */
import { type BatchShape, countRows, type Dispatch, type Rows } from '../../src/backends/kernel';
import type { DeviceBuffer } from '../../src/backends/schedule';
import type { WebGPUBackend } from '../../src/backends/webgpu/backend';
import { CaseRandom } from '../../src/reference/random';
import { differentiate } from '../../src/scheduler/backward';
import { buildSchedule } from '../../src/scheduler/build-schedule';
import { type PackedBatch, packBatch } from '../../src/scheduler/packed-batch';
import { frozen, Tape, type Tensor, trainable } from '../../src/scheduler/tape';

/** One line of a benchmark's table. */
export interface Row {
  readonly kernel: string;
  readonly shape: string;
  readonly milliseconds: number;
  readonly gigabytesPerSecond?: number;
  readonly gflops?: number;
}

/** A batch of `count` sequences of `length` tokens. */
export function batchOf(count: number, length: number): PackedBatch {
  const ids = new Uint32Array(length);
  return packBatch({
    sequences: Array.from({ length: count }, () => ({ ids, typeIds: ids })),
    labels: new Uint32Array(count),
    tokenOffset: 0,
    sequenceOffset: 0,
  });
}

/** What an input is: see `CaseInput.role` in src/reference/case.ts. */
type Role = 'activation' | 'parameter' | 'frozen';

/** Makes the inputs of the op under test, and keeps what is to be freed. */
export class Inputs {
  readonly #backend: WebGPUBackend;
  readonly #shape: BatchShape;
  readonly #random = new CaseRandom(1);
  readonly #owned: DeviceBuffer[] = [];

  constructor(backend: WebGPUBackend, shape: BatchShape) {
    this.#backend = backend;
    this.#shape = shape;
  }

  async tensor(name: string, rows: Rows, columns: number, role: Role): Promise<Tensor> {
    const buffer = await this.#upload(name, rows, columns);
    if (role === 'parameter') {
      const gradient = await this.#upload(`gradient of ${name}`, rows, columns);
      return trainable(name, { buffer, gradient, byteOffset: 0 }, rows, columns);
    }
    return { ...frozen(name, buffer, 1, columns), rows, requiresGradient: role === 'activation' };
  }

  async #upload(name: string, rows: Rows, columns: number): Promise<DeviceBuffer> {
    const floats = countRows(rows, this.#shape) * columns;
    const buffer = await this.#backend.allocate(floats * 4, name);
    this.#owned.push(buffer);
    this.#backend.write(buffer, 0, Float32Array.from(this.#random.values(floats)));
    return buffer;
  }

  dispose(): void {
    for (const buffer of this.#owned) buffer.dispose();
  }
}

/** Milliseconds of an op's forward and backward pass, the least of several runs: other work on the machine only adds. */
export async function timeOp(
  backend: WebGPUBackend,
  batch: PackedBatch,
  record: (tape: Tape, inputs: Inputs) => Promise<Tensor>,
): Promise<{ readonly forward: number; readonly backward: number }> {
  const inputs = new Inputs(backend, batch);
  try {
    const tape = new Tape();
    const output = await record(tape, inputs);
    const forward = tape.steps.flatMap((step) => step.forward);
    const outputGradient = await inputs.tensor('output gradient', output.rows, output.columns, 'frozen');
    const { dispatches } = differentiate(tape, new Map([[output, outputGradient]]));
    const forwardTime = await timeDispatches(backend, batch, forward);
    const bothTime = await timeDispatches(backend, batch, [...forward, ...dispatches]);
    return { forward: forwardTime, backward: bothTime - forwardTime };
  } finally {
    inputs.dispose();
  }
}

const REPEATS = 3;
const RUNS = 4;

async function timeDispatches(
  backend: WebGPUBackend,
  batch: PackedBatch,
  dispatches: readonly Dispatch<Tensor>[],
): Promise<number> {
  // Reading anything back at all is what makes a run wait for the device.
  const mark = await backend.allocate(16, 'mark');
  const readBack = [{ buffer: mark, into: () => new Float32Array(4) }];
  const measure = async (repeats: number) => {
    const repeated = Array.from({ length: repeats }, () => dispatches).flat();
    const executable = await backend.prepare(buildSchedule('benchmark', repeated, {}, batch));
    try {
      let least = Number.POSITIVE_INFINITY;
      for (let run = 0; run < RUNS; run++) {
        const start = performance.now();
        await executable.run({ microBatches: [batch], seed: 1, step: run, lossScale: 1, readBack });
        if (run > 0) least = Math.min(least, performance.now() - start);
      }
      return least;
    } finally {
      executable.dispose();
    }
  };
  // The difference leaves out the submission and the wait.
  try {
    const once = await measure(1);
    return ((await measure(1 + REPEATS)) - once) / REPEATS;
  } finally {
    mark.dispose();
  }
}
