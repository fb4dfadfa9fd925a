// Softmax cross-entropy, logits [B, classes]: twin of shaders/cross_entropy.wgsl. Items are sequences. Parameter: classes.
// Sums in f64: there are few, and exp is a library call anyway.

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

function writeLoss(buffers: usize, sequence: u32, row: usize, logSum: f64): void {
  const label = load<u32>(bufferAt(buffers, 1) + ((<usize>sequence) << 2));
  const loss = logSum - <f64>load<f32>(row + ((<usize>label) << 2));
  store<f32>(bufferAt(buffers, 2) + ((<usize>sequence) << 2), <f32>loss);
}

/** The loss of each sequence, not scaled. Buffers: logits, labels, loss. */
export function cross_entropy(params: usize, _batch: usize, buffers: usize, first: u32, last: u32): void {
  const classes = load<u32>(params);
  for (let sequence = first; sequence < last; sequence++) {
    const row = bufferAt(buffers, 0) + ((<usize>(sequence * classes)) << 2);
    writeLoss(buffers, sequence, row, logSumOf(row, classes));
  }
}

/** The loss, and (softmax z − one-hot) / sequences of the logical batch. Buffers: logits, labels, loss, logitsGradient. */
export function cross_entropy_gradient(
  params: usize,
  batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  const classes = load<u32>(params);
  const scale = <f64>lossScale(batch);
  for (let sequence = first; sequence < last; sequence++) {
    const offset = (<usize>(sequence * classes)) << 2;
    const row = bufferAt(buffers, 0) + offset;
    const gradient = bufferAt(buffers, 3) + offset;
    const label = load<u32>(bufferAt(buffers, 1) + ((<usize>sequence) << 2));
    const logSum = logSumOf(row, classes);
    writeLoss(buffers, sequence, row, logSum);
    for (let c: u32 = 0; c < classes; c++) {
      const at: usize = (<usize>c) << 2;
      const probability = Math.exp(<f64>load<f32>(row + at) - logSum);
      store<f32>(gradient + at, <f32>((probability - (c === label ? 1 : 0)) * scale));
    }
  }
}
