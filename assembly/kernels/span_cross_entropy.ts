// Softmax cross-entropy over the tokens of each sequence, logits [T, 2]: twin of shaders/span_cross_entropy.wgsl. Items are sequences.
// Sums in f64: there are few, and exp is a library call anyway.

import { bufferAt, lossScale } from './lib/batch';

// log Σ exp z of a column of the rows from `row` up to `end`, addresses of its numbers, with the largest z subtracted.
function logSumOf(row: usize, end: usize): f64 {
  let largest = load<f32>(row);
  for (let at = row + 8; at < end; at += 8) largest = max(largest, load<f32>(at));
  let sum: f64 = 0;
  for (let at = row; at < end; at += 8) sum += Math.exp(<f64>load<f32>(at) - <f64>largest);
  return <f64>largest + Math.log(sum);
}

function rowsOf(buffers: usize, sequence: usize): usize {
  return (<usize>load<u32>(bufferAt(buffers, 2) + (sequence << 2))) << 3;
}

/** The loss of each sequence, not scaled. Buffers: logits, spans, offsets, loss. */
export function span_cross_entropy(
  _params: usize,
  _batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  for (let sequence: usize = first; sequence < last; sequence++) {
    const row = bufferAt(buffers, 0) + rowsOf(buffers, sequence);
    const end = bufferAt(buffers, 0) + rowsOf(buffers, sequence + 1);
    const span = bufferAt(buffers, 1) + (sequence << 3);
    let loss: f64 = 0;
    for (let column: usize = 0; column < 8; column += 4) {
      const chosen = row + column + ((<usize>load<u32>(span + column)) << 3);
      loss += logSumOf(row + column, end) - <f64>load<f32>(chosen);
    }
    store<f32>(bufferAt(buffers, 3) + (sequence << 2), <f32>(loss / 2));
  }
}

/** The loss, and (softmax z − one-hot) / 2 sequences of the logical batch. Buffers: logits, spans, offsets, loss, logitsGradient. */
export function span_cross_entropy_gradient(
  params: usize,
  batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  span_cross_entropy(params, batch, buffers, first, last);
  const scale = <f64>lossScale(batch) / 2;
  for (let sequence: usize = first; sequence < last; sequence++) {
    const from = rowsOf(buffers, sequence);
    const row = bufferAt(buffers, 0) + from;
    const end = bufferAt(buffers, 0) + rowsOf(buffers, sequence + 1);
    const gradient = bufferAt(buffers, 4) + from;
    const span = bufferAt(buffers, 1) + (sequence << 3);
    for (let column: usize = 0; column < 8; column += 4) {
      const logSum = logSumOf(row + column, end);
      const chosen = row + column + ((<usize>load<u32>(span + column)) << 3);
      for (let at = row + column; at < end; at += 8) {
        const probability = Math.exp(<f64>load<f32>(at) - logSum);
        store<f32>(gradient + (at - row), <f32>((probability - (at === chosen ? 1 : 0)) * scale));
      }
    }
  }
}
