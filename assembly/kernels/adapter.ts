// The bottleneck x + up(f(down(x))): its down product and the gradient of its hidden layer, twins of shaders/adapter.wgsl.
// Parameters: rows, hidden d, bottleneck m, activation. Items are rows of the hidden layer [T, m].

import { activate, multiplyDerivative } from './lib/activation';
import { multiply, startProduct } from './lib/products';
import { useStrided } from './lib/right';

// Buffers: x [T, d], weight [m, d], bias [m], preactivation [T, m], activated [T, m].
function down(params: usize, buffers: usize, first: u32, last: u32): void {
  const hidden = load<u32>(params, 4);
  const bottleneck = load<u32>(params, 8);
  const x: usize = load<u32>(buffers);
  const weight: usize = load<u32>(buffers, 4);
  const bias: usize = load<u32>(buffers, 8);
  const preactivation: usize = load<u32>(buffers, 12);
  const activated: usize = load<u32>(buffers, 16);
  useStrided(weight, hidden, 1);
  startProduct(preactivation, bottleneck, bias, 0, first, last);
  multiply(x, hidden, 1, preactivation, bottleneck, hidden, first, last);
  const stride: usize = bottleneck * 4;
  activate(load<u32>(params, 12), preactivation, activated, first * stride, last * stride);
}

/** preactivation a = x Wdᵀ + bd and activated f(a), `[T, m]`. */
export function adapter_down(params: usize, _batch: usize, buffers: usize, first: u32, last: u32): void {
  down(params, buffers, first, last);
}

/** The same, of any d. */
export function adapter_down_strided(
  params: usize,
  _batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  down(params, buffers, first, last);
}

// Buffers: outputGradient [T, d], weight [d, m], preactivation [T, m], preactivationGradient [T, m], activated [T, m].
function hiddenGradient(params: usize, buffers: usize, first: u32, last: u32): void {
  const hidden = load<u32>(params, 4);
  const bottleneck = load<u32>(params, 8);
  const kind = load<u32>(params, 12);
  const outputGradient: usize = load<u32>(buffers);
  const weight: usize = load<u32>(buffers, 4);
  const preactivation: usize = load<u32>(buffers, 8);
  const gradient: usize = load<u32>(buffers, 12);
  const activated: usize = load<u32>(buffers, 16);
  useStrided(weight, 1, bottleneck);
  startProduct(gradient, bottleneck, 0, 0, first, last);
  multiply(outputGradient, hidden, 1, gradient, bottleneck, hidden, first, last);
  const stride: usize = bottleneck * 4;
  multiplyDerivative(kind, preactivation, gradient, gradient, first * stride, last * stride);
  activate(kind, preactivation, activated, first * stride, last * stride);
}

/** preactivationGradient (dz Wu) ⊙ f'(a), and activated f(a) anew, `[T, m]`. */
export function adapter_hidden_gradient(
  params: usize,
  _batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  hiddenGradient(params, buffers, first, last);
}

/** The same, of any d and m. */
export function adapter_hidden_gradient_strided(
  params: usize,
  _batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  hiddenGradient(params, buffers, first, last);
}
