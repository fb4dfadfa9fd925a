// The right operand of a product at hand, block by block, as panels of 8 columns: [columns / 8][inner][8].
// What is set here holds for the thread's call of a kernel; globals are per thread.

import { unpackFrozen, unpackFrozenTransposed } from './frozen';
import { packColumns, RIGHT_STEP } from './tile';

const STRIDED: u32 = 0;
const FROZEN: u32 = 1;
const FROZEN_TRANSPOSED: u32 = 2;

let kind: u32 = STRIDED;
let address: usize = 0;
// In bytes, of a strided operand.
let columnStride: usize = 0;
let innerStride: usize = 0;
// Of a frozen one: docs of lib/frozen.ts.
let storage: u32 = 0;
let scales: usize = 0;
let frozenColumns: u32 = 0;

let stride: usize = 0;

/** Any matrix; strides in elements from one column to the next and along the inner dimension. */
export function useStrided(matrix: usize, column: u32, inner: u32): void {
  kind = STRIDED;
  address = matrix;
  columnStride = (<usize>column) << 2;
  innerStride = (<usize>inner) << 2;
}

/** A frozen weight [N, K]: as Wᵀ (inner is K, columns are N) or, transposed, as W (inner is N, columns are K). */
export function useFrozen(
  weight: usize,
  kindOfStorage: u32,
  scalesOf: usize,
  k: u32,
  transposed: bool,
): void {
  kind = transposed ? FROZEN_TRANSPOSED : FROZEN;
  address = weight;
  storage = kindOfStorage;
  scales = scalesOf;
  frozenColumns = k;
}

/**
 * The panels of `width` columns from `column` on (a multiple of 8), `depth` of the inner dimension from `k` on (a multiple of 8).
 * Where they are not there as they are needed they are made at `room`. `panelStride` tells how far apart they lie.
 */
export function panels(column: u32, width: u32, k: u32, depth: u32, room: usize): usize {
  stride = depth * RIGHT_STEP;
  if (kind === STRIDED) {
    const source = address + column * columnStride + k * innerStride;
    packColumns(source, columnStride, innerStride, width, depth, room);
    return room;
  }
  if (kind === FROZEN_TRANSPOSED) {
    unpackFrozenTransposed(address, storage, scales, frozenColumns, column, width, k, depth, room);
    return room;
  }
  if (storage === 0) {
    stride = frozenColumns * RIGHT_STEP;
    return address + ((<usize>column * frozenColumns) << 2) + k * RIGHT_STEP;
  }
  unpackFrozen(address, storage, scales, frozenColumns, column, width, k, depth, room);
  return room;
}

/** Bytes from one panel to the next, of the panels that were asked for last. */
export function panelStride(): usize {
  return stride;
}
