import type { BatchShape, Dispatch, Rows } from './kernel';

/** A piece of device memory that outlives schedules: frozen weights, the parameter arena, the gradient arena. */
export interface DeviceBuffer {
  readonly label: string;
  /** In bytes. */
  readonly byteLength: number;
  dispose(): void;
}

/** The parts of a packed batch on the device. `hidden` is there where a schedule starts from hidden states. */
export type BatchField = 'tokens' | 'offsets' | 'tiles' | 'labels' | 'hidden';

/** What a dispatch of a finished schedule is bound to. Offsets and lengths are bytes; offsets are multiples of 256. */
export type Location =
  | { readonly kind: 'slot'; readonly slot: number; readonly byteLength: number }
  | { readonly kind: 'batch'; readonly field: BatchField; readonly byteLength: number }
  | {
      readonly kind: 'buffer';
      readonly buffer: DeviceBuffer;
      readonly byteOffset: number;
      readonly byteLength: number;
    };

/** The shape of a table that comes with each micro-batch; no columns where no dispatch reads it. */
export interface BatchTable {
  readonly rows: Rows;
  readonly columns: number;
}

/** A tensor that is copied out after each micro-batch: its live rows, in order. */
export interface ScheduleOutput {
  readonly name: string;
  readonly location: Location;
  readonly rows: 'tokens' | 'sequences' | 'tiles' | number;
  readonly columns: number;
}

/**
 * The ordered dispatches of one training or inference step over a micro-batch, built once and replayed.
 * `slots` are the pieces of memory that tensors share over time; slot i has `slots[i]` bytes.
 */
export interface Schedule {
  readonly label: string;
  /** The largest micro-batch that fits. */
  readonly capacity: BatchShape;
  /** Class numbers or target values. */
  readonly labels: BatchTable;
  /** The hidden states that it starts from; no columns where it starts from token ids. */
  readonly hidden: BatchTable;
  readonly slots: readonly number[];
  readonly dispatches: readonly Dispatch<Location>[];
  readonly outputs: readonly ScheduleOutput[];
}
