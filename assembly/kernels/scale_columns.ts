// y = x ⊙ l over some columns of [rows, columns]: twin of shaders/scale_columns.wgsl. Items are rows.
// Parameters: rows, columns, first, count.

import { bufferAt } from './lib/batch';
import { loadUpTo4, storeUpTo4 } from './lib/lanes';

// target = a ⊙ b over `bytes`.
function multiply(a: usize, b: usize, target: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) {
    const left = bytes - at;
    storeUpTo4(target + at, f32x4.mul(loadUpTo4(a + at, left), loadUpTo4(b + at, left)), left);
  }
}

// A row: its scaled columns from `from` on, the others as they are.
function scaleRow(x: usize, scale: usize, target: usize, bytes: usize, from: usize, width: usize): void {
  memory.copy(target, x, from);
  multiply(x + from, scale, target + from, width);
  memory.copy(target + from + width, x + from + width, bytes - from - width);
}

/** Buffers: x, scale `[count]`, output. */
export function scale_columns_forward(
  params: usize,
  _batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  const bytes: usize = (<usize>load<u32>(params, 4)) << 2;
  const from: usize = (<usize>load<u32>(params, 8)) << 2;
  const width: usize = (<usize>load<u32>(params, 12)) << 2;
  for (let row: usize = first; row < last; row++) {
    const at = row * bytes;
    scaleRow(bufferAt(buffers, 0) + at, bufferAt(buffers, 1), bufferAt(buffers, 2) + at, bytes, from, width);
  }
}

/** dx = dy ⊙ l, and dy ⊙ x `[rows, count]`. Buffers: x, scale, outputGradient, xGradient, products. */
export function scale_columns_backward(
  params: usize,
  _batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  const bytes: usize = (<usize>load<u32>(params, 4)) << 2;
  const from: usize = (<usize>load<u32>(params, 8)) << 2;
  const width: usize = (<usize>load<u32>(params, 12)) << 2;
  for (let row: usize = first; row < last; row++) {
    const at = row * bytes;
    const gradient = bufferAt(buffers, 2) + at;
    scaleRow(gradient, bufferAt(buffers, 1), bufferAt(buffers, 3) + at, bytes, from, width);
    multiply(gradient + from, bufferAt(buffers, 0) + at + from, bufferAt(buffers, 4) + row * width, width);
  }
}
