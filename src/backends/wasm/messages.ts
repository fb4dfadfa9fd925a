/** What a page or process and its workers say to each other. */
import type { MemoryLimits } from '../../wasm/instance';
import type { Call } from './runner';

export type ToWorker =
  | {
      readonly kind: 'start';
      readonly module: WebAssembly.Module;
      /** Shared by all workers, or what the worker's own memory must be. */
      readonly memory: WebAssembly.Memory | MemoryLimits;
      /** Which of the workers it is, from 0. */
      readonly index: number;
      readonly threads: number;
    }
  | {
      readonly kind: 'prepare';
      readonly program: number;
      readonly calls: readonly Call[];
      /** Where the workers meet: see meeting.ts. Absent where there is one. */
      readonly meeting: SharedArrayBuffer | undefined;
    }
  | { readonly kind: 'forget'; readonly program: number }
  | ({ readonly kind: 'run'; readonly request: number } & RunMessage)
  // The rest is for a worker whose memory is its own.
  | { readonly kind: 'grow'; readonly request: number; readonly byteLength: number }
  | { readonly kind: 'write'; readonly pointer: number; readonly words: Uint32Array<ArrayBuffer> }
  | { readonly kind: 'clear'; readonly pointer: number; readonly byteLength: number }
  | { readonly kind: 'read'; readonly request: number; readonly pointer: number; readonly floats: number };

/** One run of a program over one micro-batch. */
export interface RunMessage {
  readonly program: number;
  /** Address of the batch's block. */
  readonly batch: number;
  /** Items of each call; a worker takes `chunks[i]` of call i's at a time. */
  readonly items: Uint32Array<ArrayBuffer>;
  readonly chunks: Uint32Array<ArrayBuffer>;
  readonly isTimed: boolean;
}

export type FromWorker =
  | { readonly kind: 'ready'; readonly heapBase: number }
  | {
      readonly kind: 'done';
      readonly request: number;
      /** False where a kernel failed: 'trouble' says why. */
      readonly isComplete: boolean;
      /** Milliseconds of each call, where they were asked for. */
      readonly times: Float64Array<ArrayBuffer> | undefined;
    }
  | { readonly kind: 'data'; readonly request: number; readonly floats: Float32Array<ArrayBuffer> }
  | { readonly kind: 'trouble'; readonly request: number; readonly reason: string }
  | { readonly kind: 'failed'; readonly request: number | undefined; readonly reason: string };
