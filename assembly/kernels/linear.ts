// y = x Wᵀ + b and its gradients, [rows, N]: twins of shaders/linear.wgsl. Items are rows of what a kernel writes.

import { rowCount } from './lib/batch';
import { multiply, startAtMatrix, startProduct } from './lib/products';
import { useStrided } from './lib/right';

// Parameters: rows, columns, inner, rightColumn, rightInner, hasBias, hasAddend.
// Buffers: left, right, bias, addend, result.
function product(params: usize, buffers: usize, first: u32, last: u32): void {
  const columns = load<u32>(params, 4);
  const inner = load<u32>(params, 8);
  const bias: usize = load<u32>(params, 20) !== 0 ? load<u32>(buffers, 8) : 0;
  const addend: usize = load<u32>(params, 24) !== 0 ? load<u32>(buffers, 12) : 0;
  const result: usize = load<u32>(buffers, 16);
  useStrided(load<u32>(buffers, 4), load<u32>(params, 12), load<u32>(params, 16));
  startProduct(result, columns, bias, addend, first, last);
  multiply(load<u32>(buffers), inner, 1, result, columns, inner, first, last);
}

/** result `[rows, N]` = left `[rows, K]` · weightᵀ + bias + addend; weight `[N, K]`. */
export function linear_forward(params: usize, _batch: usize, buffers: usize, first: u32, last: u32): void {
  product(params, buffers, first, last);
}

/** result `[rows, K]` = left `[rows, N]` · weight + addend; weight `[N, K]`. */
export function linear_input_gradient(
  params: usize,
  _batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  product(params, buffers, first, last);
}

/** Either of the two, of sizes that the GPU's faster kernels do not take. */
export function linear_product(params: usize, _batch: usize, buffers: usize, first: u32, last: u32): void {
  product(params, buffers, first, last);
}

// Parameters: rows, outputs, inputs. Buffers: outputGradient [rows, N], x [rows, K], weightGradient [N, K].
function weightGradient(params: usize, batch: usize, buffers: usize, first: u32, last: u32): void {
  const rows = rowCount(batch, load<u32>(params));
  const outputs = load<u32>(params, 4);
  const inputs = load<u32>(params, 8);
  const outputGradient: usize = load<u32>(buffers);
  const x: usize = load<u32>(buffers, 4);
  const result: usize = load<u32>(buffers, 8);
  useStrided(x, 1, inputs);
  startAtMatrix(result, inputs);
  multiply(outputGradient, 1, outputs, result, inputs, rows, first, last);
}

/** weightGradient `[N, K]` += outputGradientᵀ · x over the live rows. */
export function linear_weight_gradient(
  params: usize,
  batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  weightGradient(params, batch, buffers, first, last);
}

/** The same, of sizes that are no multiples of 4. */
export function linear_weight_gradient_strided(
  params: usize,
  batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  weightGradient(params, batch, buffers, first, last);
}

/** biasGradient `[N]` += column sums of outputGradient `[rows, N]`. Items are columns. */
export function linear_bias_gradient(
  params: usize,
  batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  const rows = rowCount(batch, load<u32>(params));
  const rowBytes: usize = (<usize>load<u32>(params, 4)) << 2;
  const outputGradient: usize = load<u32>(buffers);
  const biasGradient: usize = load<u32>(buffers, 4);
  const from: usize = (<usize>first) << 2;
  const to: usize = (<usize>last) << 2;
  // Row after row, as the matrix lies in memory; the N sums are the gradient itself.
  for (let row: usize = 0; row < <usize>rows; row++) {
    const source = outputGradient + row * rowBytes;
    let at = from;
    for (; at + 16 <= to; at += 16) {
      v128.store(biasGradient + at, f32x4.add(v128.load(biasGradient + at), v128.load(source + at)));
    }
    for (; at < to; at += 4) {
      store<f32>(biasGradient + at, load<f32>(biasGradient + at) + load<f32>(source + at));
    }
  }
}
