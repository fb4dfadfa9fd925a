// Dropout over [rows, columns]: twin of shaders/dropout.wgsl. Items are quads of columns.
// Parameters: rows, columns, opKey, threshold, keepScale.

import { bufferAt, sequenceOffset, tokenOffset } from './lib/batch';
import { dropoutFactors, randomKey } from './lib/random';

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
  for (let item = first; item < last; item++) {
    const row = item / quads;
    const quad = item % quads;
    const factors = dropoutFactors(key, offset + row, quad, threshold, keepScale);
    const at: usize = (<usize>(row * columns + quad * 4)) << 2;
    if (quad * 4 + 4 <= columns) {
      v128.store(output + at, f32x4.mul(v128.load(x + at), factors));
      continue;
    }
    const tail = columns - quad * 4;
    store<f32>(output + at, load<f32>(x + at) * f32x4.extract_lane(factors, 0));
    if (tail > 1) store<f32>(output + at, load<f32>(x + at, 4) * f32x4.extract_lane(factors, 1), 4);
    if (tail > 2) store<f32>(output + at, load<f32>(x + at, 8) * f32x4.extract_lane(factors, 2), 8);
  }
}
