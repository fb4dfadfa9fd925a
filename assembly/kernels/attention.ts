// Multi-head attention within the sequences of a packed batch: twin of shaders/attention.wgsl and attention_backward.wgsl.
// Items are tiles of up to 16 tokens; all heads of a tile belong to its item. Derivation: docs/derivations/attention.md.
// Parameters: heads, headQuads, scale, opKey, threshold, keepScale.

import { expOfNegative } from './lib/activation';
import { bufferAt, tokenOffset } from './lib/batch';
import { addScaled, dot, largestLane, sumOfLanes } from './lib/lanes';
import { dropoutFactors, randomKey } from './lib/random';
import { scratch } from './lib/scratch';

const TILE: u32 = 16;
/** Below every score, yet far enough from the end of f32 that differences of two do not overflow. */
const NO_SCORE: f32 = -1e30;
/** Most tokens of a sequence: the bound on `max_position_embeddings` in src/models/config.ts. */
const LONGEST: u32 = 65536;
// What the kernel at hand works on; set by `begin`.
let headBytes: usize = 0;
let hiddenBytes: usize = 0;
let heads: u32 = 0;
let scale: f32 = 0;
let threshold: u32 = 0;
let keepScale: f32 = 0;
let key: u64 = 0;
let offset: u32 = 0;
let qkv: usize = 0;

function begin(params: usize, batch: usize, buffers: usize): void {
  heads = load<u32>(params);
  headBytes = (<usize>load<u32>(params, 4)) << 4;
  hiddenBytes = headBytes * heads;
  scale = load<f32>(params, 8);
  key = randomKey(batch, load<u32>(params, 12));
  threshold = load<u32>(params, 16);
  keepScale = load<f32>(params, 20);
  offset = tokenOffset(batch);
  qkv = bufferAt(buffers, 0);
}

function queryOf(base: usize, token: u32, head: u32): usize {
  return base + <usize>token * 3 * hiddenBytes + <usize>head * headBytes;
}

function outputOf(base: usize, token: u32, head: u32): usize {
  return base + <usize>token * hiddenBytes + <usize>head * headBytes;
}

function statisticOf(base: usize, token: u32, head: u32): usize {
  return base + ((<usize>(token * heads + head)) << 2);
}

// Dropout's factors of a query with the keys 4 quad … 4 quad + 3, counted in the sequence.
function factorsOf(token: u32, head: u32, quad: u32): v128 {
  if (threshold === 0) return f32x4.splat(1);
  return dropoutFactors(key, offset + token, head * 65536 + quad, threshold, keepScale);
}

function replace(lanes: v128, lane: u32, value: f32): v128 {
  if (lane === 0) return f32x4.replace_lane(lanes, 0, value);
  if (lane === 1) return f32x4.replace_lane(lanes, 1, value);
  if (lane === 2) return f32x4.replace_lane(lanes, 2, value);
  return f32x4.replace_lane(lanes, 3, value);
}

function laneOf(lanes: v128, lane: u32): f32 {
  if (lane === 0) return f32x4.extract_lane(lanes, 0);
  if (lane === 1) return f32x4.extract_lane(lanes, 1);
  if (lane === 2) return f32x4.extract_lane(lanes, 2);
  return f32x4.extract_lane(lanes, 3);
}

// `row` · each of up to four rows that lie `stride` bytes apart, from `others` on.
function dots(row: usize, others: usize, stride: usize, count: u32): v128 {
  let result = f32x4.splat(0);
  for (let lane: u32 = 0; lane < count; lane++) {
    result = replace(result, lane, dot(row, others + <usize>lane * stride, headBytes));
  }
  return result;
}

// o of one query and head; returns log Σ exp s.
function attend(output: usize, query: u32, head: u32, start: u32, length: u32): f32 {
  // One query's scores with all keys.
  const scores = scratch();
  const q = queryOf(qkv, query, head);
  const stride = 3 * hiddenBytes;
  let largest = f32x4.splat(NO_SCORE);
  for (let j: u32 = 0; j < length; j += 4) {
    const count = min(length - j, 4);
    let s = f32x4.mul(
      dots(q, queryOf(qkv, start + j, head) + hiddenBytes, stride, count),
      f32x4.splat(scale),
    );
    for (let lane = count; lane < 4; lane++) s = replace(s, lane, NO_SCORE);
    v128.store(scores + ((<usize>j) << 2), s);
    largest = f32x4.max(largest, s);
  }
  const top = largestLane(largest);
  let sums = f32x4.splat(0);
  for (let j: usize = 0; j < (<usize>length) << 2; j += 16) {
    const p = expOfNegative(f32x4.sub(v128.load(scores + j), f32x4.splat(top)));
    sums = f32x4.add(sums, p);
    v128.store(scores + j, f32x4.mul(p, factorsOf(query, head, <u32>(j >> 4))));
  }
  const sum = sumOfLanes(sums);
  memory.fill(output, 0, headBytes);
  for (let j: u32 = 0; j < length; j++) {
    const p = load<f32>(scores + ((<usize>j) << 2)) / sum;
    addScaled(output, p, queryOf(qkv, start + j, head) + 2 * hiddenBytes, headBytes);
  }
  return top + Mathf.log(sum);
}

// Buffers: qkv, tiles, output, and where `isSaving` logSumExp.
function forward(params: usize, batch: usize, buffers: usize, first: u32, last: u32, isSaving: bool): void {
  begin(params, batch, buffers);
  for (let item = first; item < last; item++) {
    const tile = bufferAt(buffers, 1) + ((<usize>item) << 4);
    const start = load<u32>(tile);
    const length = min(load<u32>(tile, 4), LONGEST);
    const tileStart = load<u32>(tile, 8);
    for (let i = tileStart; i < min(tileStart + TILE, length); i++) {
      for (let head: u32 = 0; head < heads; head++) {
        const output = outputOf(bufferAt(buffers, 2), start + i, head);
        const logSum = attend(output, start + i, head, start, length);
        if (isSaving) store<f32>(statisticOf(bufferAt(buffers, 3), start + i, head), logSum);
      }
    }
  }
}

export function attention_forward(params: usize, batch: usize, buffers: usize, first: u32, last: u32): void {
  forward(params, batch, buffers, first, last, false);
}

/** Keeps log Σ exp s, `[T, heads]`, for the backward pass. */
export function attention_forward_saving(
  params: usize,
  batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  forward(params, batch, buffers, first, last, true);
}

/**
 * dq of a tile's queries, and D = do · o `[T, heads]`.
 * Buffers: qkv, tiles, outputGradient, logSumExp, qkvGradient, output, delta.
 */
export function attention_backward_query(
  params: usize,
  batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  begin(params, batch, buffers);
  const stride = 3 * hiddenBytes;
  for (let item = first; item < last; item++) {
    const tile = bufferAt(buffers, 1) + ((<usize>item) << 4);
    const start = load<u32>(tile);
    const length = load<u32>(tile, 4);
    const tileStart = load<u32>(tile, 8);
    for (let i = tileStart; i < min(tileStart + TILE, length); i++) {
      const query = start + i;
      for (let head: u32 = 0; head < heads; head++) {
        const q = queryOf(qkv, query, head);
        const gradient = outputOf(bufferAt(buffers, 2), query, head);
        const logSum = f32x4.splat(load<f32>(statisticOf(bufferAt(buffers, 3), query, head)));
        const delta = dot(gradient, outputOf(bufferAt(buffers, 5), query, head), headBytes);
        store<f32>(statisticOf(bufferAt(buffers, 6), query, head), delta);
        const qGradient = queryOf(bufferAt(buffers, 4), query, head);
        memory.fill(qGradient, 0, headBytes);
        for (let j: u32 = 0; j < length; j += 4) {
          const count = min(length - j, 4);
          const k = queryOf(qkv, start + j, head) + hiddenBytes;
          const s = f32x4.mul(dots(q, k, stride, count), f32x4.splat(scale));
          const p = expOfNegative(f32x4.sub(s, logSum));
          const factors = factorsOf(query, head, j >> 2);
          const pGradient = f32x4.mul(dots(gradient, k + hiddenBytes, stride, count), factors);
          const sGradient = f32x4.mul(p, f32x4.sub(pGradient, f32x4.splat(delta)));
          for (let lane: u32 = 0; lane < count; lane++) {
            addScaled(qGradient, laneOf(sGradient, lane) * scale, k + <usize>lane * stride, headBytes);
          }
        }
      }
    }
  }
}

/** dk and dv of a tile's keys. Buffers: qkv, tiles, outputGradient, logSumExp, qkvGradient, delta. */
export function attention_backward_key(
  params: usize,
  batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  begin(params, batch, buffers);
  const stride = 3 * hiddenBytes;
  for (let item = first; item < last; item++) {
    const tile = bufferAt(buffers, 1) + ((<usize>item) << 4);
    const start = load<u32>(tile);
    const length = load<u32>(tile, 4);
    const tileStart = load<u32>(tile, 8);
    // Four keys at a time, since a draw of dropout holds four.
    for (let j = tileStart; j < min(tileStart + TILE, length); j += 4) {
      const count = min(length - j, 4);
      for (let head: u32 = 0; head < heads; head++) {
        const k = queryOf(qkv, start + j, head) + hiddenBytes;
        const kGradient = queryOf(bufferAt(buffers, 4), start + j, head) + hiddenBytes;
        for (let lane: u32 = 0; lane < count; lane++) {
          memory.fill(kGradient + <usize>lane * stride, 0, headBytes);
          memory.fill(kGradient + hiddenBytes + <usize>lane * stride, 0, headBytes);
        }
        for (let query = start; query < start + length; query++) {
          const q = queryOf(qkv, query, head);
          const gradient = outputOf(bufferAt(buffers, 2), query, head);
          const logSum = f32x4.splat(load<f32>(statisticOf(bufferAt(buffers, 3), query, head)));
          const delta = f32x4.splat(load<f32>(statisticOf(bufferAt(buffers, 5), query, head)));
          const s = f32x4.mul(dots(q, k, stride, count), f32x4.splat(scale));
          const p = expOfNegative(f32x4.sub(s, logSum));
          const factors = factorsOf(query, head, j >> 2);
          const pGradient = f32x4.mul(dots(gradient, k + hiddenBytes, stride, count), factors);
          const sGradient = f32x4.mul(p, f32x4.sub(pGradient, delta));
          const weights = f32x4.mul(p, factors);
          for (let lane: u32 = 0; lane < count; lane++) {
            const row = kGradient + <usize>lane * stride;
            addScaled(row, laneOf(sGradient, lane) * scale, q, headBytes);
            addScaled(row + hiddenBytes, laneOf(weights, lane), gradient, headBytes);
          }
        }
      }
    }
  }
}
