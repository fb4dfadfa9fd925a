// One row a sequence from its tokens: twin of shaders/pooling.wgsl. Items are elements of what is written.
// Parameters: columns, mode (0 the first token, 1 the mean).

import { bufferAt } from './lib/batch';
import { loadUpTo4, storeUpTo4 } from './lib/lanes';

// target = the mean of `count` rows, `stride` bytes apart, over `bytes` of each.
function meanOfRows(rows: usize, stride: usize, count: u32, target: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) {
    let sum = f32x4.splat(0);
    for (let row: u32 = 0; row < count; row++) {
      sum = f32x4.add(sum, loadUpTo4(rows + row * stride + at, bytes - at));
    }
    storeUpTo4(target + at, f32x4.div(sum, f32x4.splat(<f32>count)), bytes - at);
  }
}

/** output `[B, columns]` from x `[T, columns]`. Buffers: x, offsets, output. */
export function pooling_forward(params: usize, _batch: usize, buffers: usize, first: u32, last: u32): void {
  const columns = load<u32>(params);
  const isMean = load<u32>(params, 4) !== 0;
  let item = first;
  while (item < last) {
    // As far as the row goes.
    const column = item % columns;
    const count = min(last - item, columns - column);
    const place = bufferAt(buffers, 1) + ((<usize>(item / columns)) << 2);
    const token = load<u32>(place);
    const tokens = isMean ? load<u32>(place, 4) - token : 1;
    const x = bufferAt(buffers, 0) + ((<usize>(token * columns + column)) << 2);
    meanOfRows(
      x,
      (<usize>columns) << 2,
      tokens,
      bufferAt(buffers, 2) + ((<usize>item) << 2),
      (<usize>count) << 2,
    );
    item += count;
  }
}

/** dx `[T, columns]`, every row written. Buffers: outputGradient, offsets, tokens, xGradient. */
export function pooling_backward(params: usize, _batch: usize, buffers: usize, first: u32, last: u32): void {
  const columns = load<u32>(params);
  const isMean = load<u32>(params, 4) !== 0;
  let item = first;
  while (item < last) {
    const column = item % columns;
    const count = min(last - item, columns - column);
    const token = bufferAt(buffers, 2) + ((<usize>(item / columns)) << 4);
    const sequence = load<u32>(token, 12);
    const place = bufferAt(buffers, 1) + ((<usize>sequence) << 2);
    const gradient = bufferAt(buffers, 0) + ((<usize>(sequence * columns + column)) << 2);
    const target = bufferAt(buffers, 3) + ((<usize>item) << 2);
    const bytes: usize = (<usize>count) << 2;
    item += count;
    if (!isMean && load<u32>(token, 4) !== 0) {
      memory.fill(target, 0, bytes);
      continue;
    }
    const tokens = isMean ? <f32>(load<u32>(place, 4) - load<u32>(place)) : <f32>1;
    for (let at: usize = 0; at < bytes; at += 16) {
      const share = f32x4.div(loadUpTo4(gradient + at, bytes - at), f32x4.splat(tokens));
      storeUpTo4(target + at, share, bytes - at);
    }
  }
}
