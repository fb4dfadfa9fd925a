// Multi-head attention within the sequences of a packed batch: twin of shaders/attention.wgsl. Items and parameters: see
// lib/attention.ts. Derivation: docs/derivations/attention.md.

import {
  BLOCK_BYTES,
  begin,
  blockKeys,
  drawPanel,
  findHead,
  hasDropout,
  headSize,
  length,
  maskRows,
  multiplyColumns,
  multiplyRows,
  NO_SCORE,
  outputOf,
  PANEL,
  PANEL_STEP,
  qkv,
  queryOf,
  rowBytes,
  scale2,
  statisticOf,
  writeRows,
} from './lib/attention';
import { bufferAt } from './lib/batch';
import { exp2OfNegative, log2 } from './lib/exp';
import { scratch } from './lib/scratch';
import { packColumns, packRows } from './lib/tile';

// Working memory. Keys of a block as tiles [n / 4][d][4] and values as [d / 4][n][4]; the panel's scores, then
// probabilities, and its factors [n][8]; its queries and outputs [d][8]. Then rows of 8: zeros, the largest exponents, the
// sums, what a larger exponent makes of sums so far; and four quads.
let keys: usize = 0;
let values: usize = 0;
let scores: usize = 0;
let factors: usize = 0;
let queries: usize = 0;
let outputs: usize = 0;
let zeros: usize = 0;
let largest: usize = 0;
let sums: usize = 0;
let corrections: usize = 0;
let quad: usize = 0;

function layOut(): void {
  keys = scratch();
  values = keys + BLOCK_BYTES;
  scores = values + BLOCK_BYTES;
  factors = scores + 32768;
  queries = factors + 32768;
  outputs = queries + 4096;
  zeros = outputs + 4096;
  memory.fill(zeros, 0, PANEL_STEP);
  largest = zeros + PANEL_STEP;
  sums = largest + PANEL_STEP;
  corrections = sums + PANEL_STEP;
  quad = corrections + PANEL_STEP;
}

function packBlock(firstKey: u32, count: u32): void {
  const k = queryOf(qkv, firstKey) + rowBytes;
  packRows(k, 3 * rowBytes, 4, count, headSize, keys);
  packRows(k + rowBytes, 4, 3 * rowBytes, headSize, count, values);
}

// Scores of a panel's half become f p, unnormalized: 2^(scores · scale2 − largest). Largest, sums and corrections are brought up
// to date; online softmax, as in the shader, though from block to block.
function softmax(half: usize, count: u32): void {
  const end = scores + half + <usize>((count + 3) & ~3) * PANEL_STEP;
  const before = v128.load(largest + half);
  let highest = f32x4.splat(NO_SCORE);
  for (let at = scores + half; at < end; at += PANEL_STEP) highest = f32x4.pmax(highest, v128.load(at));
  const top = f32x4.pmax(before, f32x4.mul(highest, f32x4.splat(scale2)));
  const correction = exp2OfNegative(f32x4.sub(before, top));
  let sum = f32x4.mul(v128.load(sums + half), correction);
  for (let at = scores + half; at < end; at += PANEL_STEP) {
    const p = exp2OfNegative(f32x4.sub(f32x4.mul(v128.load(at), f32x4.splat(scale2)), top));
    sum = f32x4.add(sum, p);
    v128.store(at, hasDropout ? f32x4.mul(p, v128.load(at + (factors - scores))) : p);
  }
  v128.store(largest + half, top);
  v128.store(corrections + half, correction);
  v128.store(sums + half, sum);
}

// outputs [d][8] ⊙= a row.
function scaleOutputs(row: usize): void {
  const near = v128.load(row);
  const far = v128.load(row, 16);
  const end = outputs + <usize>headSize * PANEL_STEP;
  for (let at = outputs; at < end; at += PANEL_STEP) {
    v128.store(at, f32x4.mul(v128.load(at), near));
    v128.store(at, f32x4.mul(v128.load(at, 16), far), 16);
  }
}

function attendBlock(query: u32, firstKey: u32, count: u32): void {
  multiplyRows(keys, queries, count, zeros, scores);
  maskRows(scores, count);
  if (hasDropout) drawPanel(query, firstKey, count, factors);
  softmax(0, count);
  softmax(16, count);
  if (firstKey === 0) {
    multiplyColumns(values, scores, count, zeros, 0, outputs);
  } else {
    scaleOutputs(corrections);
    multiplyColumns(values, scores, count, outputs, PANEL_STEP, outputs);
  }
}

// The panel of queries from `query` on.
function attend(query: u32, output: usize, logSumExp: usize): void {
  const count = min(PANEL, length - query);
  packColumns(queryOf(qkv, query), 3 * rowBytes, 4, count, headSize, queries);
  v128.store(largest, f32x4.splat(NO_SCORE));
  v128.store(largest, f32x4.splat(NO_SCORE), 16);
  v128.store(sums, f32x4.splat(0));
  v128.store(sums, f32x4.splat(0), 16);
  for (let firstKey: u32 = 0; firstKey < length; firstKey += blockKeys) {
    const block = min(blockKeys, length - firstKey);
    // Where there is one block, it is packed once for all panels.
    if (query === 0 || length > blockKeys) packBlock(firstKey, block);
    attendBlock(query, firstKey, block);
  }
  const one = f32x4.splat(1);
  v128.store(corrections, f32x4.div(one, v128.load(sums)));
  v128.store(corrections, f32x4.div(one, v128.load(sums, 16)), 16);
  scaleOutputs(corrections);
  writeRows(outputs, outputOf(output, query), rowBytes, count, quad);
  if (logSumExp === 0) return;
  for (let half: usize = 0; half < PANEL_STEP; half += 16) {
    const logSum = f32x4.add(v128.load(largest + half), log2(v128.load(sums + half)));
    v128.store(sums + half, f32x4.mul(logSum, f32x4.splat(<f32>Math.LN2)));
  }
  for (let i: u32 = 0; i < count; i++) {
    store<f32>(statisticOf(logSumExp, query + i), load<f32>(sums + i * 4));
  }
}

// `logSumExp` is 0 where it is not wanted.
function forward(params: usize, batch: usize, buffers: usize, first: u32, last: u32, logSumExp: usize): void {
  begin(params, batch, buffers);
  layOut();
  const output = bufferAt(buffers, 2);
  for (let item = first; item < last; item++) {
    if (!findHead(item)) continue;
    for (let query: u32 = 0; query < length; query += PANEL) attend(query, output, logSumExp);
  }
}

export function attention_forward(params: usize, batch: usize, buffers: usize, first: u32, last: u32): void {
  forward(params, batch, buffers, first, last, 0);
}

/** Keeps log Σ exp s, `[T, heads]`, for the backward pass. */
export function attention_forward_saving(
  params: usize,
  batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  forward(params, batch, buffers, first, last, bufferAt(buffers, 3));
}
