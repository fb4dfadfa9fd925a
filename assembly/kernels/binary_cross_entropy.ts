// Cross-entropy of sigmoids, logits [rows, columns]: twin of shaders/binary_cross_entropy.wgsl. Items are rows. Parameters: columns,
// rows, isWeighted. In f64: there are few, and exp is a library call anyway.

import { bufferAt, lossScale } from './lib/batch';

/** The loss of each row, not scaled. Buffers: logits, labels, weights, loss. */
export function binary_cross_entropy(
  params: usize,
  _batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  writeRows(params, buffers, first, last, 0, 0);
}

/** The loss, and its gradient / the divisor of the logical batch. Buffers: logits, labels, weights, loss, logitsGradient. */
export function binary_cross_entropy_gradient(
  params: usize,
  batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  const scale = <f64>lossScale(batch) / <f64>load<u32>(params);
  writeRows(params, buffers, first, last, bufferAt(buffers, 4), scale);
}

// w y log(1 + exp −z) + (1 − y) log(1 + exp z), where log(1 + exp z) = max(z, 0) + log(1 + exp −|z|); its gradient
// ((1 − y + w y) σ(z) − w y) · scale where `gradients` is not 0.
function writeRows(params: usize, buffers: usize, first: u32, last: u32, gradients: usize, scale: f64): void {
  const columns = load<u32>(params);
  const isWeighted = load<u32>(params, 8) !== 0;
  const weights = bufferAt(buffers, 2);
  for (let row = first; row < last; row++) {
    let sum: f64 = 0;
    for (let c: u32 = 0; c < columns; c++) {
      const at: usize = (<usize>(row * columns + c)) << 2;
      const z = <f64>load<f32>(bufferAt(buffers, 0) + at);
      const label = <f64>load<f32>(bufferAt(buffers, 1) + at);
      const positive = isWeighted ? label * <f64>load<f32>(weights + ((<usize>c) << 2)) : label;
      const negative = 1 - label;
      const power = Math.exp(-Math.abs(z));
      const rest = Math.log(1 + power);
      sum += positive * (Math.max(-z, 0) + rest) + negative * (Math.max(z, 0) + rest);
      if (gradients === 0) continue;
      const probability = (z >= 0 ? 1 : power) / (1 + power);
      store<f32>(gradients + at, <f32>(((negative + positive) * probability - positive) * scale));
    }
    store<f32>(bufferAt(buffers, 3) + ((<usize>row) << 2), <f32>(sum / <f64>columns));
  }
}
