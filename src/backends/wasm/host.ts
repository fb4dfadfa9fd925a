import { GraftError } from '../../errors';
import type { Call } from './runner';

/** Where kernels run and their memory lies: this thread, or workers. Addresses are bytes in its linear memory. */
export interface Host {
  readonly threads: number;
  /** The first address that is free for buffers. */
  readonly base: number;
  /** Why it is not what one would expect, for people. */
  readonly note: string | undefined;
  /** Makes addresses below `byteLength` usable; they may hold anything. Rejects where that cannot be had. */
  grow(byteLength: number): Promise<void>;
  /** In order with runs and reads that are asked for later. `pointer` is a multiple of 4. */
  write(pointer: number, words: Uint32Array): void;
  clear(pointer: number, byteLength: number): void;
  read(pointer: number, floats: number): Promise<Float32Array<ArrayBuffer>>;
  prepare(calls: readonly Call[]): HostProgram;
  /** Ends its workers; what is under way is rejected. */
  dispose(): void;
}

export interface HostRun {
  /** Address of the batch's block. */
  readonly batch: number;
  /** Items of each call, and how many of them one thread takes at a time. */
  readonly items: Uint32Array<ArrayBuffer>;
  readonly chunks: Uint32Array<ArrayBuffer>;
  readonly isTimed: boolean;
}

/** Calls in order, ready to be run. Not more than one run at a time. */
export interface HostProgram {
  /** The milliseconds of each call where they are asked for. */
  run(run: HostRun): Promise<Float64Array | undefined>;
  dispose(): void;
}

export function kernelFailed(reason: unknown): GraftError {
  return new GraftError(`A kernel failed: ${reason instanceof Error ? reason.message : String(reason)}`);
}
