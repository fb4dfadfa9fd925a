// Softmax cross-entropy, logits [rows, classes]: twin of shaders/cross_entropy.wgsl. Items are rows. Parameters: classes, rows,
// isWeighted. Sums in f64: there are few, and exp is a library call anyway.

import { bufferAt, lossScale } from './lib/batch';

// log Σ exp z, with the largest z subtracted, so that no exp overflows.
function logSumOf(row: usize, classes: u32): f64 {
  let largest = load<f32>(row);
  for (let c: u32 = 1; c < classes; c++) largest = max(largest, load<f32>(row + ((<usize>c) << 2)));
  let sum: f64 = 0;
  for (let c: u32 = 0; c < classes; c++)
    sum += Math.exp(<f64>load<f32>(row + ((<usize>c) << 2)) - <f64>largest);
  return <f64>largest + Math.log(sum);
}

// The weight of a label; 0 where it is no class, and the row is ignored.
function weightOf(params: usize, buffers: usize, label: u32): f64 {
  if (label >= load<u32>(params)) return 0;
  if (load<u32>(params, 8) === 0) return 1;
  return <f64>load<f32>(bufferAt(buffers, 2) + ((<usize>label) << 2));
}

function labelOf(buffers: usize, row: u32): u32 {
  return load<u32>(bufferAt(buffers, 1) + ((<usize>row) << 2));
}

function writeLoss(buffers: usize, row: u32, logits: usize, logSum: f64, weight: f64): void {
  const at: usize = (<usize>row) << 2;
  const label = labelOf(buffers, row);
  const loss = weight === 0 ? 0 : weight * (logSum - <f64>load<f32>(logits + ((<usize>label) << 2)));
  store<f32>(bufferAt(buffers, 3) + at, <f32>loss);
}

/** The loss of each row, not scaled. Buffers: logits, labels, weights, loss. */
export function cross_entropy(params: usize, _batch: usize, buffers: usize, first: u32, last: u32): void {
  const classes = load<u32>(params);
  for (let row = first; row < last; row++) {
    const logits = bufferAt(buffers, 0) + ((<usize>(row * classes)) << 2);
    const weight = weightOf(params, buffers, labelOf(buffers, row));
    writeLoss(buffers, row, logits, logSumOf(logits, classes), weight);
  }
}

/**
 * The loss, and weight · (softmax z − one-hot) / the divisor of the logical batch. Buffers: logits, labels, weights, loss,
 * logitsGradient.
 */
export function cross_entropy_gradient(
  params: usize,
  batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  const classes = load<u32>(params);
  const scale = <f64>lossScale(batch);
  for (let row = first; row < last; row++) {
    const offset = (<usize>(row * classes)) << 2;
    const logits = bufferAt(buffers, 0) + offset;
    const gradient = bufferAt(buffers, 4) + offset;
    const label = labelOf(buffers, row);
    const weight = weightOf(params, buffers, label);
    const logSum = logSumOf(logits, classes);
    writeLoss(buffers, row, logits, logSum, weight);
    for (let c: u32 = 0; c < classes; c++) {
      const at: usize = (<usize>c) << 2;
      const probability = Math.exp(<f64>load<f32>(logits + at) - logSum);
      store<f32>(gradient + at, <f32>((probability - (c === label ? 1 : 0)) * weight * scale));
    }
  }
}
