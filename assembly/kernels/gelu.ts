// GELU, elementwise over [rows, columns]: twin of shaders/gelu.wgsl. Items are elements. Parameters: rows, columns, activation.

import { activate, multiplyDerivative } from './lib/activation';
import { bufferAt } from './lib/batch';

/** output = f(x) */
export function gelu_forward(params: usize, _batch: usize, buffers: usize, first: u32, last: u32): void {
  const from: usize = (<usize>first) << 2;
  activate(load<u32>(params, 8), bufferAt(buffers, 0), bufferAt(buffers, 1), from, (<usize>last) << 2);
}

/** dx = dy f'(x) */
export function gelu_backward(params: usize, _batch: usize, buffers: usize, first: u32, last: u32): void {
  const x = bufferAt(buffers, 0);
  const outputGradient = bufferAt(buffers, 1);
  const xGradient = bufferAt(buffers, 2);
  const from: usize = (<usize>first) << 2;
  multiplyDerivative(load<u32>(params, 8), x, outputGradient, xGradient, from, (<usize>last) << 2);
}
