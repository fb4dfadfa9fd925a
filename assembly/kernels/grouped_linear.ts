// y = x W_gᵀ + b_g + addend with the weights of each row's group g: twin of shaders/grouped_linear.wgsl. Items are rows.

import { bufferAt } from './lib/batch';
import { groupOf, runEnd } from './lib/groups';
import { multiply, startProduct } from './lib/products';
import { useStrided } from './lib/right';

// Parameters: rows, columns, inner, hasBias, hasAddend.
// Buffers: left, right [G, columns, inner], bias [G, columns], addend, result, tokens, groups.
function forward(params: usize, buffers: usize, first: u32, last: u32): void {
  const rows = load<u32>(params);
  const columns = load<u32>(params, 4);
  const inner = load<u32>(params, 8);
  const hasBias = load<u32>(params, 12) !== 0;
  const addend: usize = load<u32>(params, 16) !== 0 ? bufferAt(buffers, 3) : 0;
  const result = bufferAt(buffers, 4);
  const tokens = bufferAt(buffers, 5);
  const groups = bufferAt(buffers, 6);
  let row = first;
  while (row < last) {
    const firstColumn: usize = <usize>groupOf(row, rows, tokens, groups) * columns;
    const end = runEnd(row, last, rows, tokens, groups);
    const bias: usize = hasBias ? bufferAt(buffers, 2) + (firstColumn << 2) : 0;
    useStrided(bufferAt(buffers, 1) + ((firstColumn * inner) << 2), inner, 1);
    startProduct(result, columns, bias, addend, row, end);
    multiply(bufferAt(buffers, 0), inner, 1, result, columns, inner, row, end);
    row = end;
  }
}

/** result `[rows, N]` = left `[rows, K]` · W_gᵀ + b_g + addend. */
export function grouped_linear_forward(
  params: usize,
  _batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  forward(params, buffers, first, last);
}

/** The same, of a K that the GPU's faster kernel does not take. */
export function grouped_linear_strided(
  params: usize,
  _batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  forward(params, buffers, first, last);
}
