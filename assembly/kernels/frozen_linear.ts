// Products with a frozen weight W [N, K], laid out as in lib/frozen.ts: twins of linear's WGSL with
// lib/right_*.wgsl. Items are rows. Parameters: rows, columns, inner, rightColumn, rightInner, hasBias, hasAddend, storage.
// Buffers: left [rows, inner], weight, bias [N], scales [N], result [rows, columns].

import { multiply, startProduct } from './lib/products';
import { useFrozen } from './lib/right';

function product(params: usize, buffers: usize, transposed: bool, first: u32, last: u32): void {
  const columns = load<u32>(params, 4);
  const inner = load<u32>(params, 8);
  const bias: usize = load<u32>(params, 20) !== 0 ? load<u32>(buffers, 8) : 0;
  const storage = load<u32>(params, 28);
  const result: usize = load<u32>(buffers, 16);
  useFrozen(load<u32>(buffers, 4), storage, load<u32>(buffers, 12), transposed ? columns : inner, transposed);
  startProduct(result, columns, bias, 0, first, last);
  multiply(load<u32>(buffers), inner, 1, result, columns, inner, first, last);
}

/** result `[rows, N]` = left `[rows, K]` Wᵀ + bias. */
export function frozen_linear_forward(
  params: usize,
  _batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  product(params, buffers, false, first, last);
}

/** result `[rows, K]` = left `[rows, N]` W. */
export function frozen_linear_input_gradient(
  params: usize,
  _batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  product(params, buffers, true, first, last);
}
