// GELU, elementwise over [rows, columns]: twin of shaders/gelu.wgsl. Items are elements. Parameters: rows, columns, activation.

import { activate, activateDerivative, activateDerivativeLanes, activateLanes } from './lib/activation';
import { bufferAt } from './lib/batch';

/** output = f(x) */
export function gelu_forward(params: usize, _batch: usize, buffers: usize, first: u32, last: u32): void {
  const kind = load<u32>(params, 8);
  const x = bufferAt(buffers, 0);
  const output = bufferAt(buffers, 1);
  let at: usize = (<usize>first) << 2;
  const end: usize = (<usize>last) << 2;
  for (; at + 16 <= end; at += 16) v128.store(output + at, activateLanes(kind, v128.load(x + at)));
  for (; at < end; at += 4) store<f32>(output + at, activate(kind, load<f32>(x + at)));
}

/** dx = dy f'(x) */
export function gelu_backward(params: usize, _batch: usize, buffers: usize, first: u32, last: u32): void {
  const kind = load<u32>(params, 8);
  const x = bufferAt(buffers, 0);
  const outputGradient = bufferAt(buffers, 1);
  const xGradient = bufferAt(buffers, 2);
  let at: usize = (<usize>first) << 2;
  const end: usize = (<usize>last) << 2;
  for (; at + 16 <= end; at += 16) {
    const slope = activateDerivativeLanes(kind, v128.load(x + at));
    v128.store(xGradient + at, f32x4.mul(v128.load(outputGradient + at), slope));
  }
  for (; at < end; at += 4) {
    store<f32>(xGradient + at, load<f32>(outputGradient + at) * activateDerivative(kind, load<f32>(x + at)));
  }
}
