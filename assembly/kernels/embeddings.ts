// Sums of table rows, [T, columns]: twin of shaders/embeddings.wgsl. Items are quads of columns.
// Parameters: columns, firstRow, sliceRows, then the constant STORAGE. Buffers: tokens, word, position, type, scales, output.

import { bufferAt, tokenCount } from './lib/batch';
import { fourBytes, fourHalves } from './lib/frozen';
import { loadUpTo4, storeUpTo4 } from './lib/lanes';

const F16: u32 = 1;
const INT8: u32 = 2;

// Columns column … column + 4 of a row of the word table; of a short row's end too, whatever lies behind it.
function wordQuad(storage: u32, table: usize, scales: usize, row: u32, columns: u32, column: u32): v128 {
  if (storage === F16) {
    return fourHalves(table + ((<usize>row * ((columns + 1) / 2)) << 2) + column * 2);
  }
  if (storage === INT8) {
    const bytes = fourBytes(table + ((<usize>row * ((columns + 3) / 4)) << 2) + column);
    return f32x4.mul(bytes, v128.load_splat<f32>(scales + ((<usize>row) << 2)));
  }
  return v128.load(table + ((<usize>row * columns + column) << 2));
}

/** output = word[id] + position[position] + type[type id] for the tokens whose id the slice holds. */
export function embeddings(params: usize, _batch: usize, buffers: usize, first: u32, last: u32): void {
  const columns = load<u32>(params);
  const storage = load<u32>(params, 12);
  const quads = (columns + 3) / 4;
  let item = first;
  while (item < last) {
    // As far as the row goes.
    const row = item / quads;
    const from = (item % quads) * 4;
    item = min(last, (row + 1) * quads);
    const to = min(columns, (item - row * quads) * 4);
    const token = bufferAt(buffers, 0) + ((<usize>row) << 4);
    // Below the slice the difference wraps around and is too large as well.
    const sliceRow = load<u32>(token) - load<u32>(params, 4);
    if (sliceRow >= load<u32>(params, 8)) continue;
    const word = bufferAt(buffers, 1);
    const scales = bufferAt(buffers, 4);
    const position = bufferAt(buffers, 2) + ((<usize>load<u32>(token, 4) * columns) << 2);
    const type = bufferAt(buffers, 3) + ((<usize>load<u32>(token, 8) * columns) << 2);
    const output = bufferAt(buffers, 5) + ((<usize>row * columns) << 2);
    for (let column = from; column < to; column += 4) {
      const at: usize = (<usize>column) << 2;
      const left = (<usize>(to - column)) << 2;
      const sum = f32x4.add(
        wordQuad(storage, word, scales, sliceRow, columns, column),
        loadUpTo4(position + at, left),
      );
      storeUpTo4(output + at, f32x4.add(sum, loadUpTo4(type + at, left)), left);
    }
  }
}

/**
 * A table's gradient: its row `token[field]` += dy of each token, one token after the other. Items are columns, so that a split
 * changes no sum. Parameters: columns, field. Buffers: tokens, outputGradient `[T, columns]`, tableGradient.
 */
export function embeddings_gradient(
  params: usize,
  batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  const rowBytes: usize = (<usize>load<u32>(params)) << 2;
  const field: usize = (<usize>load<u32>(params, 4)) << 2;
  const from: usize = (<usize>first) << 2;
  const to: usize = (<usize>last) << 2;
  const count: usize = tokenCount(batch);
  for (let token: usize = 0; token < count; token++) {
    const source = bufferAt(buffers, 1) + token * rowBytes;
    const row: usize = load<u32>(bufferAt(buffers, 0) + (token << 4) + field);
    const target = bufferAt(buffers, 2) + row * rowBytes;
    for (let at = from; at < to; at += 16) {
      const sum = f32x4.add(loadUpTo4(target + at, to - at), loadUpTo4(source + at, to - at));
      storeUpTo4(target + at, sum, to - at);
    }
  }
}
