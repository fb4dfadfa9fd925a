// Residual + layer normalization over the rows of [rows, columns]: twin of shaders/layer_norm.wgsl and
// layer_norm_backward.wgsl. Items of the row kernels are rows. Derivation: docs/derivations/layer_norm.md.

import { bufferAt, rowCount } from './lib/batch';
import { groupOf, runEnd } from './lib/groups';
import { loadUpTo4, storeUpTo4, sumOfLanes } from './lib/lanes';

// r = x + residual, into `target`; returns the sum. `bytes` of a row. Four sums side by side: an addition waits three or four
// cycles for the one before.
function sumRow(x: usize, residual: usize, target: usize, bytes: usize): f32 {
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  let at: usize = 0;
  for (; at + 64 <= bytes; at += 64) {
    a = f32x4.add(a, residualSum(x + at, residual, at, target + at));
    b = f32x4.add(b, residualSum(x + at + 16, residual, at + 16, target + at + 16));
    c = f32x4.add(c, residualSum(x + at + 32, residual, at + 32, target + at + 32));
    d = f32x4.add(d, residualSum(x + at + 48, residual, at + 48, target + at + 48));
  }
  for (; at + 16 <= bytes; at += 16) a = f32x4.add(a, residualSum(x + at, residual, at, target + at));
  let sum = sumOfLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  for (; at < bytes; at += 4) {
    let r = load<f32>(x + at);
    if (residual !== 0) r += load<f32>(residual + at);
    store<f32>(target + at, r);
    sum += r;
  }
  return sum;
}

function residualSum(x: usize, residual: usize, at: usize, target: usize): v128 {
  let r = v128.load(x);
  if (residual !== 0) r = f32x4.add(r, v128.load(residual + at));
  v128.store(target, r);
  return r;
}

function addSquare(sum: v128, value: usize, means: v128): v128 {
  const centred = f32x4.sub(v128.load(value), means);
  return f32x4.add(sum, f32x4.mul(centred, centred));
}

// Σ (r − mean)²: a pass of its own, since Σ r² − columns · mean² would cancel in f32.
function sumOfSquares(row: usize, mean: f32, bytes: usize): f32 {
  const means = f32x4.splat(mean);
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  let at: usize = 0;
  for (; at + 64 <= bytes; at += 64) {
    a = addSquare(a, row + at, means);
    b = addSquare(b, row + at + 16, means);
    c = addSquare(c, row + at + 32, means);
    d = addSquare(d, row + at + 48, means);
  }
  for (; at + 16 <= bytes; at += 16) a = addSquare(a, row + at, means);
  let sum = sumOfLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  for (; at < bytes; at += 4) {
    const centred = load<f32>(row + at) - mean;
    sum += centred * centred;
  }
  return sum;
}

// Parameters: rows, columns, epsilon, then the constant HAS_RESIDUAL. Buffers: x, residual, gamma, beta, output, and where
// `isSaving` normalized, inverseDeviation. `parameters` bytes into gamma and beta lie those of these rows. The output's row holds
// r until it is replaced.
function forward(
  params: usize,
  buffers: usize,
  first: u32,
  last: u32,
  isSaving: bool,
  parameters: usize = 0,
): void {
  const columns = load<u32>(params, 4);
  const epsilon = load<f32>(params, 8);
  const hasResidual = load<u32>(params, 12) !== 0;
  const bytes: usize = (<usize>columns) << 2;
  const gamma = bufferAt(buffers, 2) + parameters;
  const beta = bufferAt(buffers, 3) + parameters;
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

/** With γ and β `[G, columns]`, of which a row reads those of its group. Buffers: …, output, tokens, groups. */
export function grouped_layer_norm_forward(
  params: usize,
  _batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  const rows = load<u32>(params);
  const bytes: usize = (<usize>load<u32>(params, 4)) << 2;
  const tokens = bufferAt(buffers, 5);
  const groups = bufferAt(buffers, 6);
  let row = first;
  while (row < last) {
    const end = runEnd(row, last, rows, tokens, groups);
    forward(params, buffers, row, end, false, groupOf(row, rows, tokens, groups) * bytes);
    row = end;
  }
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
    let products = sums;
    let oddSums = sums;
    let oddProducts = sums;
    let at: usize = 0;
    for (; at + 32 <= bytes; at += 32) {
      const d = f32x4.mul(v128.load(gradient + at), v128.load(gamma + at));
      const odd = f32x4.mul(v128.load(gradient + at, 16), v128.load(gamma + at, 16));
      v128.store(result + at, d);
      v128.store(result + at, odd, 16);
      sums = f32x4.add(sums, d);
      oddSums = f32x4.add(oddSums, odd);
      products = f32x4.add(products, f32x4.mul(d, v128.load(normalized + at)));
      oddProducts = f32x4.add(oddProducts, f32x4.mul(odd, v128.load(normalized + at, 16)));
    }
    let sum = sumOfLanes(f32x4.add(sums, oddSums));
    let product = sumOfLanes(f32x4.add(products, oddProducts));
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
      let at = from;
      for (; at + 16 <= to; at += 16) {
        const d = v128.load(gradient + at);
        const product = f32x4.mul(d, v128.load(normalized + at));
        v128.store(gammaSums + at, f32x4.add(v128.load(gammaSums + at), product));
        v128.store(betaSums + at, f32x4.add(v128.load(betaSums + at), d));
      }
      for (; at < to; at += 4) {
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
  const to: usize = (<usize>last) << 2;
  for (let at: usize = (<usize>first) << 2; at < to; at += 16) {
    let sum = f32x4.splat(0);
    for (let chunk: u32 = 0; chunk < chunks; chunk++) {
      const row = bufferAt(buffers, 0) + ((<usize>((chunk * 2 + part) * columns)) << 2);
      sum = f32x4.add(sum, loadUpTo4(row + at, to - at));
    }
    const gradient = bufferAt(buffers, 1) + at;
    storeUpTo4(gradient, f32x4.add(loadUpTo4(gradient, to - at), sum), to - at);
  }
}
