// Dropout over [rows, columns]: twin of shaders/dropout.wgsl. Items are quads of columns.
// Parameters: rows, columns, opKey, threshold, keepScale.

import { bufferAt, sequenceOffset, tokenOffset } from './lib/batch';
import { loadUpTo4, storeUpTo4 } from './lib/lanes';
import { drawFactors, randomKey } from './lib/random';
import { scratch } from './lib/scratch';
import { transpose } from './lib/transpose';

/** Quads whose factors are drawn before they are used: 16 KiB of scratch. */
const RUN: u32 = 1024;

// output = factors ⊙ x over `bytes` of a row. The factors lie as `drawFactors` leaves them, four quads in four rows.
function multiply(x: usize, output: usize, factors: usize, bytes: usize): void {
  let at: usize = 0;
  for (; at + 64 <= bytes; at += 64) {
    transpose(factors + at, 16, factors + at, 16);
    v128.store(output + at, f32x4.mul(v128.load(x + at), v128.load(factors + at)));
    v128.store(output + at, f32x4.mul(v128.load(x + at, 16), v128.load(factors + at, 16)), 16);
    v128.store(output + at, f32x4.mul(v128.load(x + at, 32), v128.load(factors + at, 32)), 32);
    v128.store(output + at, f32x4.mul(v128.load(x + at, 48), v128.load(factors + at, 48)), 48);
  }
  if (at === bytes) return;
  transpose(factors + at, 16, factors + at, 16);
  for (; at < bytes; at += 16) {
    const product = f32x4.mul(loadUpTo4(x + at, bytes - at), v128.load(factors + at));
    storeUpTo4(output + at, product, bytes - at);
  }
}

/** output = f ⊙ x, with f drawn from its counter; the backward pass is the same kernel on the gradient. */
export function dropout(params: usize, batch: usize, buffers: usize, first: u32, last: u32): void {
  const columns = load<u32>(params, 4);
  const key = randomKey(batch, load<u32>(params, 8));
  const threshold = load<u32>(params, 12);
  const keepScale = load<f32>(params, 16);
  const x = bufferAt(buffers, 0);
  const output = bufferAt(buffers, 1);
  const rows = load<u32>(params);
  const offset = rows === 0 ? tokenOffset(batch) : rows === 1 ? sequenceOffset(batch) : 0;
  const quads = (columns + 3) / 4;
  let item = first;
  while (item < last) {
    // As far as the row goes.
    const row = item / quads;
    const quad = item % quads;
    const count = min(min(last - item, quads - quad), RUN);
    const places = i32x4.add(i32x4.splat(quad), i32x4(0, 1, 2, 3));
    const rowsOf4 = i32x4.splat(offset + row);
    drawFactors(key, rowsOf4, places, 4, (count + 3) / 4, threshold, keepScale, scratch(), 16);
    const from: usize = (<usize>(row * columns + quad * 4)) << 2;
    multiply(x + from, output + from, scratch(), (<usize>min(count * 4, columns - quad * 4)) << 2);
    item += count;
  }
}
