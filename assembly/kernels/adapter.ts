// The bottleneck x + up(f(down(x))): its down product and the gradient of its hidden layer, twins of shaders/adapter.wgsl.
// Parameters: rows, hidden d, bottleneck m, activation. Items are rows of the hidden layer [T, m].

import { activate, activateDerivative, activateDerivativeLanes, activateLanes } from './lib/activation';
import { multiply, startProduct } from './lib/products';
import { useStrided } from './lib/right';

// target = f(source), bytes from…to of both.
function activateRange(kind: u32, source: usize, target: usize, from: usize, to: usize): void {
  let at = from;
  for (; at + 16 <= to; at += 16) v128.store(target + at, activateLanes(kind, v128.load(source + at)));
  for (; at < to; at += 4) store<f32>(target + at, activate(kind, load<f32>(source + at)));
}

// gradient ⊙= f'(source), bytes from…to of both.
function multiplyDerivative(kind: u32, source: usize, gradient: usize, from: usize, to: usize): void {
  let at = from;
  for (; at + 16 <= to; at += 16) {
    const slope = activateDerivativeLanes(kind, v128.load(source + at));
    v128.store(gradient + at, f32x4.mul(v128.load(gradient + at), slope));
  }
  for (; at < to; at += 4) {
    const slope = activateDerivative(kind, load<f32>(source + at));
    store<f32>(gradient + at, load<f32>(gradient + at) * slope);
  }
}

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
  activateRange(load<u32>(params, 12), preactivation, activated, first * stride, last * stride);
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
  multiplyDerivative(kind, preactivation, gradient, first * stride, last * stride);
  activateRange(kind, preactivation, activated, first * stride, last * stride);
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
