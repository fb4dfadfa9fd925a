// tanh, elementwise over [rows, columns]: twin of shaders/tanh.wgsl. Items are elements; there are few, one row a sequence.

import { bufferAt } from './lib/batch';

/** output = tanh(x) */
export function tanh_forward(_params: usize, _batch: usize, buffers: usize, first: u32, last: u32): void {
  const x = bufferAt(buffers, 0);
  const output = bufferAt(buffers, 1);
  for (let i: usize = first; i < last; i++)
    store<f32>(output + (i << 2), Mathf.tanh(load<f32>(x + (i << 2))));
}

/** dx = dy (1 − y²) */
export function tanh_backward(_params: usize, _batch: usize, buffers: usize, first: u32, last: u32): void {
  const output = bufferAt(buffers, 0);
  const outputGradient = bufferAt(buffers, 1);
  const xGradient = bufferAt(buffers, 2);
  for (let i: usize = first; i < last; i++) {
    const y = load<f32>(output + (i << 2));
    store<f32>(xGradient + (i << 2), load<f32>(outputGradient + (i << 2)) * (1 - y * y));
  }
}
