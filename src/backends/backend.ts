import type { FrozenMatrixBuffer, FrozenMatrixSpec } from './frozen-matrix';
import type { BatchShape } from './kernel';
import type { DeviceBuffer, Schedule } from './schedule';

/** What is known of the device that a backend computes on. */
export interface DeviceDescription {
  /** For people. */
  readonly name: string;
  /** As WebGPU tells it; '' on the CPU. */
  readonly vendor: string;
  /** Likewise. */
  readonly architecture: string;
  /** A software driver: computes on the CPU, pays dearly for barriers. */
  readonly isFallback: boolean;
  /** WebGPU's optional features that are in use, or the CPU backend's. */
  readonly features: readonly string[];
  /** WebGPU's limits by name, in force on this device; on the CPU, `threads`. */
  readonly limits: Readonly<Record<string, number>>;
  /** Why it is slower than it could be, for people, with what to do; absent where nothing is to be said. */
  readonly note?: string | undefined;
}

/** One packed micro-batch as the backend uploads it. Tables as in src/scheduler/packed-batch.ts. */
export interface MicroBatch extends BatchShape {
  readonly tokens: Uint32Array;
  readonly offsets: Uint32Array;
  readonly tiles: Uint32Array;
  /** `[rows, columns]` of the schedule's labels: class indices (u32) or target values (f32). Not read where it has none. */
  readonly labels: Uint32Array | Float32Array;
  /** `[T, columns]`, or `[B, columns]`, for a schedule that starts from hidden states. */
  readonly hidden?: Float32Array | undefined;
  readonly tokenOffset: number;
  readonly sequenceOffset: number;
}

/** A part of a device buffer and where its floats go on the host. */
export interface ReadBack {
  readonly buffer: DeviceBuffer;
  /** Filled with the floats from the buffer's beginning. */
  readonly into: () => Float32Array;
}

export interface RunRequest {
  readonly microBatches: readonly MicroBatch[];
  /** Both 32-bit unsigned; the key of every random draw in the step, beside the op and the element. */
  readonly seed: number;
  readonly step: number;
  /** 1 / what the logical batch's sum of losses is divided by, mostly its sequences: turns sums and gradients into means. */
  readonly lossScale: number;
  /** Buffers set to zero before the first micro-batch. */
  readonly clear?: readonly DeviceBuffer[];
  /** Read after the last micro-batch, in the same submission. */
  readonly readBack?: readonly ReadBack[];
}

/** Where the time of a run went, in milliseconds of wall time. All but `device` is time of this thread. */
export interface RunTimings {
  /** Packing the batch and encoding its commands, up to the submission. */
  readonly encode: number;
  /** Waiting for the device. */
  readonly device: number;
  /** Copying the results out of mapped memory. */
  readonly readBack: number;
}

/** Time that the device spent in one kernel over a whole run. */
export interface KernelTime {
  readonly kernel: string;
  readonly dispatches: number;
  readonly milliseconds: number;
}

/** `outputs[i]` holds the schedule's output i of all micro-batches, row after row. */
export interface RunResult {
  readonly outputs: readonly Float32Array<ArrayBuffer>[];
  readonly timings: RunTimings;
}

/** A schedule whose pipelines, bind groups and memory are ready. */
export interface Executable {
  /** Memory that it holds on the device, in bytes. */
  readonly byteLength: number;
  /** One encoder, one submission, one wait, whatever the number of micro-batches. */
  run(request: RunRequest): Promise<RunResult>;
  /**
   * Runs one micro-batch with a timer around each dispatch: for benchmarks, slower than `run`. Throws GraftError where the
   * device has no timers.
   */
  profile(batch: MicroBatch): Promise<KernelTime[]>;
  dispose(): void;
}

/** A way to compute. Knows kernels and buffers, not ops or models. */
export interface Backend {
  readonly name: string;
  readonly device: DeviceDescription;
  /** The largest single buffer or binding, in bytes: larger tables are kept in slices. */
  readonly largestBinding: number;
  /** Device memory held now, and the most that was ever held, in bytes. */
  readonly memory: { readonly held: number; readonly peak: number };
  /** Zero-filled. Throws DeviceLimitError or OutOfDeviceMemoryError. */
  allocate(byteLength: number, label: string): Promise<DeviceBuffer>;
  /** Memory for pretrained weights in the order that this device's kernels read. Throws as `allocate` does. */
  allocateMatrix(spec: FrozenMatrixSpec): Promise<FrozenMatrixBuffer>;
  write(buffer: DeviceBuffer, byteOffset: number, data: Float32Array | Uint32Array): void;
  /** The first `floats` of the buffer. For tests and for saving; a training step reads through `run`. */
  read(buffer: DeviceBuffer, floats: number): Promise<Float32Array<ArrayBuffer>>;
  prepare(schedule: Schedule): Promise<Executable>;
  dispose(): void;
}
