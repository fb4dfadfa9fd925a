// (prediction − target)² of each sequence, [B, 1]: twin of shaders/squared_error.wgsl. Items are sequences.

import { bufferAt, lossScale } from './lib/batch';

/** Buffers: predictions, targets, loss. */
export function squared_error(_params: usize, _batch: usize, buffers: usize, first: u32, last: u32): void {
  for (let sequence: usize = first; sequence < last; sequence++) {
    const at = sequence << 2;
    const difference = load<f32>(bufferAt(buffers, 0) + at) - load<f32>(bufferAt(buffers, 1) + at);
    store<f32>(bufferAt(buffers, 2) + at, difference * difference);
  }
}

/** The loss and its gradient. Buffers: predictions, targets, loss, predictionsGradient. */
export function squared_error_gradient(
  params: usize,
  batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  squared_error(params, batch, buffers, first, last);
  for (let sequence: usize = first; sequence < last; sequence++) {
    const at = sequence << 2;
    const difference = load<f32>(bufferAt(buffers, 0) + at) - load<f32>(bufferAt(buffers, 1) + at);
    store<f32>(bufferAt(buffers, 3) + at, 2 * difference * lossScale(batch));
  }
}
