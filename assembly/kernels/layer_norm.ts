// Residual + layer normalization over the rows of [rows, columns]: twin of shaders/layer_norm.wgsl and
// layer_norm_backward.wgsl. Items of the row kernels are rows. Derivation: docs/derivations/layer_norm.md.

import { bufferAt, rowCount } from './lib/batch';
import { sumOfLanes } from './lib/lanes';

// r = x + residual, into `target`; returns the sum. `bytes` of a row.
function sumRow(x: usize, residual: usize, target: usize, bytes: usize): f32 {
  let lanes = f32x4.splat(0);
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    let r = v128.load(x + at);
    if (residual !== 0) r = f32x4.add(r, v128.load(residual + at));
    v128.store(target + at, r);
    lanes = f32x4.add(lanes, r);
  }
  let sum = sumOfLanes(lanes);
  for (; at < bytes; at += 4) {
    let r = load<f32>(x + at);
    if (residual !== 0) r += load<f32>(residual + at);
    store<f32>(target + at, r);
    sum += r;
  }
  return sum;
}

// Σ (r − mean)²: a pass of its own, since Σ r² − columns · mean² would cancel in f32.
function sumOfSquares(row: usize, mean: f32, bytes: usize): f32 {
  const means = f32x4.splat(mean);
  let lanes = f32x4.splat(0);
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    const centred = f32x4.sub(v128.load(row + at), means);
    lanes = f32x4.add(lanes, f32x4.mul(centred, centred));
  }
  let sum = sumOfLanes(lanes);
  for (; at < bytes; at += 4) {
    const centred = load<f32>(row + at) - mean;
    sum += centred * centred;
  }
  return sum;
}

// Parameters: rows, columns, epsilon, then the constant HAS_RESIDUAL. Buffers: x, residual, gamma, beta, output, and where
// `isSaving` normalized, inverseDeviation. The output's row holds r until it is replaced.
function forward(params: usize, buffers: usize, first: u32, last: u32, isSaving: bool): void {
  const columns = load<u32>(params, 4);
  const epsilon = load<f32>(params, 8);
  const hasResidual = load<u32>(params, 12) !== 0;
  const bytes: usize = (<usize>columns) << 2;
  const gamma = bufferAt(buffers, 2);
  const beta = bufferAt(buffers, 3);
  for (let row: usize = first; row < last; row++) {
    const offset = row * bytes;
    const output = bufferAt(buffers, 4) + offset;
    const residual: usize = hasResidual ? bufferAt(buffers, 1) + offset : 0;
    const mean = sumRow(bufferAt(buffers, 0) + offset, residual, output, bytes) / <f32>columns;
    const variance = sumOfSquares(output, mean, bytes) / <f32>columns;
    const inverse: f32 = 1 / sqrt<f32>(variance + epsilon);
    const normalized: usize = isSaving ? bufferAt(buffers, 5) + offset : output;
    let at: usize = 0;
    for (; at + 16 <= bytes; at += 16) {
      const centred = f32x4.sub(v128.load(output + at), f32x4.splat(mean));
      const value = f32x4.mul(centred, f32x4.splat(inverse));
      v128.store(normalized + at, value);
      v128.store(output + at, f32x4.add(f32x4.mul(value, v128.load(gamma + at)), v128.load(beta + at)));
    }
    for (; at < bytes; at += 4) {
      const value = (load<f32>(output + at) - mean) * inverse;
      store<f32>(normalized + at, value);
      store<f32>(output + at, value * load<f32>(gamma + at) + load<f32>(beta + at));
    }
    if (isSaving) store<f32>(bufferAt(buffers, 6) + (row << 2), inverse);
  }
}

export function layer_norm_forward(
  params: usize,
  _batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  forward(params, buffers, first, last, false);
}

/** Keeps x̂ and 1/σ for the backward pass. */
export function layer_norm_forward_saving(
  params: usize,
  _batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  forward(params, buffers, first, last, true);
}

/**
 * dr = (dx̂ − mean dx̂ − x̂ mean(dx̂ x̂)) / σ, with dx̂ = dy γ.
 * Parameters: rows, columns, part. Buffers: outputGradient, normalized, inverseDeviation, gamma, inputGradient.
 */
export function layer_norm_backward(
  params: usize,
  _batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  const columns = load<u32>(params, 4);
  const bytes: usize = (<usize>columns) << 2;
  const gamma = bufferAt(buffers, 3);
  for (let row: usize = first; row < last; row++) {
    const gradient = bufferAt(buffers, 0) + row * bytes;
    const normalized = bufferAt(buffers, 1) + row * bytes;
    const result = bufferAt(buffers, 4) + row * bytes;
    let sums = f32x4.splat(0);
    let products = f32x4.splat(0);
    let at: usize = 0;
    for (; at + 16 <= bytes; at += 16) {
      const d = f32x4.mul(v128.load(gradient + at), v128.load(gamma + at));
      v128.store(result + at, d);
      sums = f32x4.add(sums, d);
      products = f32x4.add(products, f32x4.mul(d, v128.load(normalized + at)));
    }
    let sum = sumOfLanes(sums);
    let product = sumOfLanes(products);
    for (; at < bytes; at += 4) {
      const d = load<f32>(gradient + at) * load<f32>(gamma + at);
      store<f32>(result + at, d);
      sum += d;
      product += d * load<f32>(normalized + at);
    }
    const mean = sum / <f32>columns;
    const slope = product / <f32>columns;
    const inverse = load<f32>(bufferAt(buffers, 2) + (row << 2));
    for (at = 0; at + 16 <= bytes; at += 16) {
      const shifted = f32x4.sub(v128.load(result + at), f32x4.splat(mean));
      const along = f32x4.mul(v128.load(normalized + at), f32x4.splat(slope));
      v128.store(result + at, f32x4.mul(f32x4.sub(shifted, along), f32x4.splat(inverse)));
    }
    for (; at < bytes; at += 4) {
      const along = load<f32>(normalized + at) * slope;
      store<f32>(result + at, (load<f32>(result + at) - mean - along) * inverse);
    }
  }
}

/**
 * partialSums `[CHUNKS, 2 columns]`: sums of dy x̂, then of dy, over chunks of rows; items are columns.
 * Parameters: rows, columns, part, then the constant CHUNKS. Buffers: outputGradient, normalized, partialSums.
 */
export function layer_norm_partial_sums(
  params: usize,
  batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  const rows = rowCount(batch, load<u32>(params));
  const columns = load<u32>(params, 4);
  const chunks = load<u32>(params, 12);
  const chunkRows = (rows + chunks - 1) / chunks;
  const rowBytes: usize = (<usize>columns) << 2;
  const from: usize = (<usize>first) << 2;
  const to: usize = (<usize>last) << 2;
  for (let chunk: u32 = 0; chunk < chunks; chunk++) {
    const gammaSums = bufferAt(buffers, 2) + <usize>chunk * 2 * rowBytes;
    const betaSums = gammaSums + rowBytes;
    memory.fill(gammaSums + from, 0, to - from);
    memory.fill(betaSums + from, 0, to - from);
    // Row after row, as the matrices lie in memory.
    const end = min((chunk + 1) * chunkRows, rows);
    for (let row: usize = chunk * chunkRows; row < <usize>end; row++) {
      const gradient = bufferAt(buffers, 0) + row * rowBytes;
      const normalized = bufferAt(buffers, 1) + row * rowBytes;
      for (let at = from; at < to; at += 4) {
        const d = load<f32>(gradient + at);
        store<f32>(gammaSums + at, load<f32>(gammaSums + at) + d * load<f32>(normalized + at));
        store<f32>(betaSums + at, load<f32>(betaSums + at) + d);
      }
    }
  }
}

/** dγ (part 0) or dβ (part 1) += the sum of its partial sums; items are columns. Buffers: partialSums, parameterGradient. */
export function layer_norm_parameter_gradient(
  params: usize,
  _batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  const columns = load<u32>(params, 4);
  const part = load<u32>(params, 8);
  const chunks = load<u32>(params, 12);
  for (let c = first; c < last; c++) {
    let sum: f32 = 0;
    for (let chunk: u32 = 0; chunk < chunks; chunk++) {
      sum += load<f32>(bufferAt(buffers, 0) + ((<usize>((chunk * 2 + part) * columns + c)) << 2));
    }
    const at = bufferAt(buffers, 1) + ((<usize>c) << 2);
    store<f32>(at, load<f32>(at) + sum);
  }
}
