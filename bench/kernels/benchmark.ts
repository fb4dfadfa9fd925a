import type { Tape, Tensor } from '../../src/scheduler/tape';
import type { Inputs } from './inputs';
import type { Size } from './size';

/**
 * What a row's time is measured against. Operations: a product's multiply-adds, against the multiply-add probe.
 * Bytes: what must be read and written, against the copy probe; 'contract' counts every buffer that the kernels are bound
 * to, once, and twice where they add to it.
 */
export type Cost = { readonly operations: number } | { readonly bytes: number | 'contract' };

/** One row of the table: a pass of the op, or those of its kernels whose names begin with `only`. */
export interface Measured {
  readonly kernel: string;
  readonly pass: 'forward' | 'backward';
  readonly only?: string;
  readonly cost: Cost;
}

/** An op on random inputs at one size, and which of its kernels are measured. */
export interface KernelBenchmark {
  /** As in src/ops, where its oracle has the same name. */
  readonly op: string;
  /** '512×384×1536' */
  readonly shape: string;
  /** Labels of a sequence, for a loss that reads several. Default 1. */
  readonly labelColumns?: number;
  record(tape: Tape, inputs: Inputs): Promise<Tensor>;
  readonly rows: readonly Measured[];
}

export type BenchmarksAt = (size: Size) => readonly KernelBenchmark[];
