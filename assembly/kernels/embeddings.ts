// Sums of table rows, [T, columns]: twin of shaders/embeddings.wgsl. Items are quads of columns.
// Parameters: columns, firstRow, sliceRows. Buffers: tokens, word, position, type, output.

import { bufferAt } from './lib/batch';

/** output = word[id] + position[position] + type[type id] for the tokens whose id the slice holds. */
export function embeddings(params: usize, _batch: usize, buffers: usize, first: u32, last: u32): void {
  const columns = load<u32>(params);
  const quads = (columns + 3) / 4;
  const tokens = bufferAt(buffers, 0);
  for (let item = first; item < last; item++) {
    const row = item / quads;
    const token = tokens + ((<usize>row) << 4);
    // Below the slice the difference wraps around and is too large as well.
    const sliceRow = load<u32>(token) - load<u32>(params, 4);
    if (sliceRow >= load<u32>(params, 8)) continue;
    const begin = (item % quads) * 4;
    const end = min(begin + 4, columns);
    const word = bufferAt(buffers, 1) + ((<usize>sliceRow * columns) << 2);
    const position = bufferAt(buffers, 2) + ((<usize>load<u32>(token, 4) * columns) << 2);
    const type = bufferAt(buffers, 3) + ((<usize>load<u32>(token, 8) * columns) << 2);
    const output = bufferAt(buffers, 4) + ((<usize>row * columns) << 2);
    for (let c = begin; c < end; c++) {
      const at: usize = (<usize>c) << 2;
      store<f32>(output + at, load<f32>(word + at) + load<f32>(position + at) + load<f32>(type + at));
    }
  }
}
