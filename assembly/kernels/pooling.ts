// One row a sequence from its tokens: twin of shaders/pooling.wgsl. Items are elements of what is written.
// Parameters: columns, mode (0 the first token, 1 the mean).

import { bufferAt } from './lib/batch';

/** output `[B, columns]` from x `[T, columns]`. Buffers: x, offsets, output. */
export function pooling_forward(params: usize, _batch: usize, buffers: usize, first: u32, last: u32): void {
  const columns = load<u32>(params);
  const isMean = load<u32>(params, 4) !== 0;
  const x = bufferAt(buffers, 0);
  const offsets = bufferAt(buffers, 1);
  const output = bufferAt(buffers, 2);
  for (let item = first; item < last; item++) {
    const place = offsets + ((<usize>(item / columns)) << 2);
    const begin = load<u32>(place);
    const end = isMean ? load<u32>(place, 4) : begin + 1;
    let sum: f32 = 0;
    for (let token = begin; token < end; token++)
      sum += load<f32>(x + ((<usize>(token * columns + (item % columns))) << 2));
    store<f32>(output + ((<usize>item) << 2), sum / <f32>(end - begin));
  }
}

/** dx `[T, columns]`, every row written. Buffers: outputGradient, offsets, tokens, xGradient. */
export function pooling_backward(params: usize, _batch: usize, buffers: usize, first: u32, last: u32): void {
  const columns = load<u32>(params);
  const isMean = load<u32>(params, 4) !== 0;
  const outputGradient = bufferAt(buffers, 0);
  const offsets = bufferAt(buffers, 1);
  const tokens = bufferAt(buffers, 2);
  const xGradient = bufferAt(buffers, 3);
  for (let item = first; item < last; item++) {
    const token = tokens + ((<usize>(item / columns)) << 4);
    const sequence = load<u32>(token, 12);
    const gradient = load<f32>(outputGradient + ((<usize>(sequence * columns + (item % columns))) << 2));
    const place = offsets + ((<usize>sequence) << 2);
    const isFirst = load<u32>(token, 4) === 0;
    const share: f32 = isMean
      ? gradient / <f32>(load<u32>(place, 4) - load<u32>(place))
      : isFirst
        ? gradient
        : 0;
    store<f32>(xGradient + ((<usize>item) << 2), share);
  }
}
