// Keys and values of a prefix beside those of the sequence: twin of shaders/prefix_attention.wgsl, where the buffers are explained.
// Parameters: heads, headQuads, scale, opKey, threshold, keepScale, then the constant PREFIX.

import { bufferAt, tokenCount, tokenOffset } from './lib/batch';
import { exp2OfNegative, log2 } from './lib/exp';
import { addScaled, dot, largestLane, sumOfLanes } from './lib/lanes';
import { drawFactors, randomKey } from './lib/random';
import { scratch } from './lib/scratch';
import { transpose } from './lib/transpose';

/** Below every score, yet far enough from the end of f32 that differences of two do not overflow. */
const NO_SCORE: f32 = -1e30;
const LOG2E: f32 = <f32>Math.LOG2E;
/** Room for the numbers of a query and head with the longest prefix. */
const ROOM: usize = 4096;

let heads: u32 = 0;
/** Bytes of a head, and of a token's heads. */
let headBytes: usize = 0;
let rowBytes: usize = 0;
let scale: f32 = 0;
let threshold: u32 = 0;
let keepScale: f32 = 0;
let key: u64 = 0;
let firstToken: u32 = 0;
let length: u32 = 0;
/** `length` numbers as bytes, filled up to four. */
let padded: usize = 0;
let scores: usize = 0;
let factors: usize = 0;

function begin(params: usize, batch: usize): void {
  heads = load<u32>(params);
  headBytes = (<usize>load<u32>(params, 4)) << 4;
  rowBytes = heads * headBytes;
  scale = load<f32>(params, 8);
  key = randomKey(batch, load<u32>(params, 12));
  threshold = load<u32>(params, 16);
  keepScale = load<f32>(params, 20);
  firstToken = tokenOffset(batch);
  length = load<u32>(params, 24);
  padded = (<usize>((length + 3) & ~3)) << 2;
  scores = scratch();
  factors = scores + ROOM;
}

// scores = q kᵀ / √d of a query with the prefix' keys; behind the last of them there is none.
function multiplyKeys(query: usize, keys: usize): void {
  for (let j: u32 = 0; j < length; j++) {
    store<f32>(scores + ((<usize>j) << 2), scale * dot(query, keys + j * rowBytes, headBytes));
  }
  for (let at: usize = (<usize>length) << 2; at < padded; at += 4) store<f32>(scores + at, NO_SCORE);
}

// Dropout's factors of a query, a token of the micro-batch: the counters of a head's keys from 131,072 on.
function draw(token: u32, head: u32): void {
  if (threshold === 0) {
    for (let at: usize = 0; at < padded; at += 16) v128.store(factors + at, f32x4.splat(1));
    return;
  }
  const rows = i32x4.splat(firstToken + token);
  const places = i32x4.add(i32x4.splat(head * 65536 + 32768), i32x4(0, 1, 2, 3));
  drawFactors(key, rows, places, 4, (length + 15) / 16, threshold, keepScale, factors, 16);
  for (let at: usize = 0; at < padded; at += 64) transpose(factors + at, 16, factors + at, 16);
}

function exp(x: f32): f32 {
  return f32x4.extract_lane(exp2OfNegative(f32x4.splat(x * LOG2E)), 0);
}

/** Buffers: qkv, prefix, ownOutput, ownLogSumExp, output, logSumExp. Items are queries × heads. */
export function prefix_attention_forward(
  params: usize,
  batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  begin(params, batch);
  for (let item = first; item < last; item++) {
    const token = item / heads;
    const head = item % heads;
    const column = head * headBytes;
    const keys = bufferAt(buffers, 1) + column;
    multiplyKeys(bufferAt(buffers, 0) + token * 3 * rowBytes + column, keys);
    draw(token, head);
    const statistic: usize = (<usize>item) << 2;
    const ownLogSum = load<f32>(bufferAt(buffers, 3) + statistic);
    let highest = f32x4.splat(ownLogSum);
    for (let at: usize = 0; at < padded; at += 16) highest = f32x4.pmax(highest, v128.load(scores + at));
    const largest = largestLane(highest);
    let sums = f32x4.splat(0);
    for (let at: usize = 0; at < padded; at += 16) {
      const distance = f32x4.sub(v128.load(scores + at), f32x4.splat(largest));
      const p = exp2OfNegative(f32x4.mul(distance, f32x4.splat(LOG2E)));
      sums = f32x4.add(sums, p);
      v128.store(scores + at, f32x4.mul(p, v128.load(factors + at)));
    }
    const own = exp(ownLogSum - largest);
    const sum = own + sumOfLanes(sums);
    const logSum = f32x4.extract_lane(log2(f32x4.splat(sum)), 0) * <f32>Math.LN2;
    store<f32>(bufferAt(buffers, 5) + statistic, largest + logSum);
    const source = bufferAt(buffers, 2) + token * rowBytes + column;
    const target = bufferAt(buffers, 4) + token * rowBytes + column;
    const share = f32x4.splat(own / sum);
    for (let at: usize = 0; at < headBytes; at += 16) {
      v128.store(target + at, f32x4.mul(v128.load(source + at), share));
    }
    const values = keys + length * rowBytes;
    for (let j: u32 = 0; j < length; j++) {
      addScaled(target, load<f32>(scores + ((<usize>j) << 2)) / sum, values + j * rowBytes, headBytes);
    }
  }
}

/**
 * dq += Σ ds k / √d, and the pairs [T, 2 heads length]: ds / √d, then f p. Items are queries × heads.
 * Buffers: qkv, prefix, outputGradient, logSumExp, delta, qkvGradient, pairs.
 */
export function prefix_attention_backward_query(
  params: usize,
  batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  begin(params, batch);
  for (let item = first; item < last; item++) {
    const token = item / heads;
    const head = item % heads;
    const column = head * headBytes;
    const keys = bufferAt(buffers, 1) + column;
    const values = keys + length * rowBytes;
    const query = token * 3 * rowBytes + column;
    multiplyKeys(bufferAt(buffers, 0) + query, keys);
    draw(token, head);
    const gradient = bufferAt(buffers, 2) + token * rowBytes + column;
    const statistic: usize = (<usize>item) << 2;
    const logSum = load<f32>(bufferAt(buffers, 3) + statistic);
    const delta = load<f32>(bufferAt(buffers, 4) + statistic);
    const queryGradient = bufferAt(buffers, 5) + query;
    const pairs = bufferAt(buffers, 6) + ((<usize>((token * 2 * heads + head) * length)) << 2);
    const weights = pairs + ((<usize>(heads * length)) << 2);
    for (let j: u32 = 0; j < length; j++) {
      const at: usize = (<usize>j) << 2;
      const factor = load<f32>(factors + at);
      const p = exp(load<f32>(scores + at) - logSum);
      const pGradient = factor * dot(gradient, values + j * rowBytes, headBytes);
      const sGradient = p * (pGradient - delta) * scale;
      store<f32>(pairs + at, sGradient);
      store<f32>(weights + at, p * factor);
      addScaled(queryGradient, sGradient, keys + j * rowBytes, headBytes);
    }
  }
}

/**
 * dk += Σ ds q / √d and dv += Σ f p do over the tokens, in their order. Items are rows of the prefix × heads.
 * Buffers: qkv, outputGradient, pairs, prefixGradient.
 */
export function prefix_attention_backward_key(
  params: usize,
  batch: usize,
  buffers: usize,
  first: u32,
  last: u32,
): void {
  begin(params, batch);
  const tokens = tokenCount(batch);
  for (let item = first; item < last; item++) {
    const row = item / heads;
    const head = item % heads;
    const column = head * headBytes;
    const isValue = row >= length;
    const pair = isValue ? (heads + head) * length + row - length : head * length + row;
    const source = bufferAt(buffers, isValue ? 1 : 0) + column;
    const step = isValue ? rowBytes : 3 * rowBytes;
    const target = bufferAt(buffers, 3) + row * rowBytes + column;
    for (let token: u32 = 0; token < tokens; token++) {
      const at: usize = (<usize>(token * 2 * heads * length + pair)) << 2;
      addScaled(target, load<f32>(bufferAt(buffers, 2) + at), source + token * step, headBytes);
    }
  }
}
