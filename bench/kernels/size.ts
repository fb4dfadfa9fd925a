import { type PackedBatch, packBatch } from '../../src/scheduler/packed-batch';
import { SHAPES, type ShapeName } from '../shapes';

/** The sizes that a kernel is measured at: an encoder's, and a batch's. */
export interface Size {
  readonly encoder: string;
  /** h */
  readonly hidden: number;
  readonly heads: number;
  readonly sequences: number;
  /** Tokens of each sequence. */
  readonly length: number;
  /** T = sequences · length */
  readonly tokens: number;
}

export function sizeOf(shape: ShapeName, sequences: number, length: number): Size {
  const { title, hiddenSize, heads } = SHAPES[shape];
  return { encoder: title, hidden: hiddenSize, heads, sequences, length, tokens: sequences * length };
}

/** A batch of that size: the same ids and label 0 everywhere, `[sequences, labelColumns]`. */
export function batchOf({ sequences, length }: Size, labelColumns = 1): PackedBatch {
  const ids = new Uint32Array(length);
  return packBatch({
    sequences: Array.from({ length: sequences }, () => ({ ids, typeIds: ids })),
    labels: new Uint32Array(sequences * labelColumns),
    tokenOffset: 0,
    sequenceOffset: 0,
  });
}
