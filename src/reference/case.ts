/**
 * Cases on which ops are checked: inputs, how the op is recorded, and a float64 oracle of its forward and backward
 * pass. The tests run every case against finite differences and on every backend; `Runtime.selfTest` runs them on the
 * user's device.
 */
import type { FrozenMatrixSpec } from '../backends/frozen-matrix';
import type { Rows } from '../backends/kernel';
import type { Tape, Tensor } from '../scheduler/tape';
import { CaseRandom } from './random';

/** One sequence of the case's packed batch. */
export interface CaseSequence {
  readonly ids: readonly number[];
  readonly typeIds: readonly number[];
}

export interface CaseInput {
  readonly name: string;
  readonly rows: Rows;
  readonly columns: number;
  /** `activation` and `parameter` get gradients (the second accumulates in place), `frozen` does not. */
  readonly role: 'activation' | 'parameter' | 'frozen';
  /** How a frozen one is laid out, where its op asks for a frozen matrix. */
  readonly matrix?: Pick<FrozenMatrixSpec, 'storage' | 'use'>;
  /** `[rows, columns]`, exact in f32. A matrix is stored from them, and the oracle is given what it then holds. */
  readonly values: Float64Array;
}

export interface OpCase {
  readonly op: string;
  readonly name: string;
  readonly sequences: readonly CaseSequence[];
  /** The table that the op's loss reads: class indices or target values. */
  readonly labels?: Uint32Array | Float32Array;
  readonly seed?: number;
  readonly step?: number;
  /** Only the loss ops read it. Default 1. */
  readonly lossScale?: number;
  readonly inputs: readonly CaseInput[];
  /** A loss: its gradient is 1 by definition and is not given. */
  readonly isLoss?: boolean;
  /** Records the op; `inputs` are in the case's order. */
  readonly build: (tape: Tape, inputs: readonly Tensor[]) => Tensor;
  /** The op's output, row by row. */
  readonly forward: (inputs: readonly Float64Array[]) => Float64Array;
  /** The gradient of each input, `undefined` for frozen ones. */
  readonly backward: (
    inputs: readonly Float64Array[],
    outputGradient: Float64Array,
  ) => readonly (Float64Array | undefined)[];
  /**
   * Largest deviation of the device from the oracle, relative to the tensor's largest value. Default 2e-5: f32 products of
   * up to a few hundred terms. A case that needs more says why.
   */
  readonly tolerance?: number;
}

/** Sequences of the given lengths with arbitrary ids below `vocabularySize`; the second half of each has type 1. */
export function sequencesOf(lengths: readonly number[], vocabularySize = 50): CaseSequence[] {
  const random = new CaseRandom(lengths.length);
  return lengths.map((length) => ({
    ids: Array.from({ length }, () => random.below(vocabularySize)),
    typeIds: Array.from({ length }, (_, position) => (position * 2 < length ? 0 : 1)),
  }));
}

export function countTokens(sequences: readonly CaseSequence[]): number {
  return sequences.reduce((sum, { ids }) => sum + ids.length, 0);
}

/** An input of a case that must be there. */
export function given<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('the case lacks an input');
  return value;
}
