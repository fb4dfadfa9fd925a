// What attention's forward and backward kernels share. They work on one head of one sequence at a time, against a panel of 8
// queries (4 × 8 tiles of products, see tile.ts): scores, probabilities and dropout factors of a panel lie as [keys][8 queries],
// so that a row holds eight softmaxes side by side and no sum goes across lanes. In these comments n is the number of keys at
// hand, d the head's size. Parameters: heads, headQuads, scale, opKey, threshold, keepScale.

import { bufferAt, tokenOffset } from './batch';
import { drawFactors, randomKey } from './random';
import { multiplyTile, TILE_ROWS } from './tile';
import { transpose } from './transpose';

/** Queries of a panel: the columns of a tile. */
export const PANEL: u32 = 8;
/** Bytes of a panel's row. */
export const PANEL_STEP: usize = 32;
/** Most keys of a block: what a block needs must fit into a thread's scratch. */
const MOST_KEYS: u32 = 1024;
/** Most bytes of a block's keys. */
export const BLOCK_BYTES: usize = 131072;
/** Below every score, yet far enough from the end of f32 that differences of two do not overflow. */
export const NO_SCORE: f32 = -1e30;
export const LOG2E: f32 = <f32>Math.LOG2E;
/** Tokens of a row of the tile table. */
const TILE_TOKENS: u32 = 16;

// What the kernel at hand works on: set by `begin`, then by `findHead`.
export let heads: u32 = 0;
export let headSize: u32 = 0;
/** Bytes of a token's row in the heads' outputs; a row of qkv has three times as many. */
export let rowBytes: usize = 0;
/** 1 / √d, and the same for exponents of 2. */
export let scale: f32 = 0;
export let scale2: f32 = 0;
export let hasDropout: bool = false;
export let qkv: usize = 0;
/** First token of the sequence, its length, and the head. */
export let start: u32 = 0;
export let length: u32 = 0;
export let head: u32 = 0;
/** Keys of a block, a multiple of 4. */
export let blockKeys: u32 = 0;

let threshold: u32 = 0;
let keepScale: f32 = 0;
let key: u64 = 0;
let firstToken: u32 = 0;
let tiles: usize = 0;

export function begin(params: usize, batch: usize, buffers: usize): void {
  heads = load<u32>(params);
  headSize = load<u32>(params, 4) * 4;
  rowBytes = (<usize>(heads * headSize)) << 2;
  scale = load<f32>(params, 8);
  scale2 = scale * LOG2E;
  key = randomKey(batch, load<u32>(params, 12));
  threshold = load<u32>(params, 16);
  keepScale = load<f32>(params, 20);
  hasDropout = threshold !== 0;
  firstToken = tokenOffset(batch);
  qkv = bufferAt(buffers, 0);
  tiles = bufferAt(buffers, 1);
  blockKeys = min(MOST_KEYS, <u32>BLOCK_BYTES / (4 * paddedHead())) & ~3;
}

/** d, filled up to whole tiles. */
export function paddedHead(): u32 {
  return (headSize + 7) & ~7;
}

/**
 * Items are tiles × heads, but a head of a sequence is done as a whole, by one of the items that its sequence has: every
 * t-th of them, where t is the sequence's number of tiles. So work is spread over the items as tokens are. Returns false
 * for the items that have nothing to do.
 */
export function findHead(item: u32): bool {
  const tile = tiles + ((<usize>(item / heads)) << 4);
  start = load<u32>(tile);
  length = load<u32>(tile, 4);
  const tileCount = (length + TILE_TOKENS - 1) / TILE_TOKENS;
  const place = (load<u32>(tile, 8) / TILE_TOKENS) * heads + (item % heads);
  head = place / tileCount;
  return place % tileCount === 0;
}

/** The query of a token, counted in the sequence; its key lies `rowBytes` further, its value as much again. */
export function queryOf(base: usize, token: u32): usize {
  return base + <usize>(start + token) * 3 * rowBytes + ((<usize>(head * headSize)) << 2);
}

export function outputOf(base: usize, token: u32): usize {
  return base + <usize>(start + token) * rowBytes + ((<usize>(head * headSize)) << 2);
}

/** A number of [T, heads]. */
export function statisticOf(base: usize, token: u32): usize {
  return base + ((<usize>((start + token) * heads + head)) << 2);
}

/** result [keys][8] = rows, packed as tiles [keys / 4][d][4], · a panel [d][8]. `zeros` are 8 of them. */
export function multiplyRows(rows: usize, panel: usize, keys: u32, zeros: usize, result: usize): void {
  for (let j: u32 = 0; j < keys; j += TILE_ROWS) {
    multiplyTile(rows, panel, headSize, zeros, 0, result, PANEL_STEP);
    rows += (<usize>headSize) << 4;
    result += TILE_ROWS * PANEL_STEP;
  }
}

/**
 * result [d][8] = start + columns, packed as tiles [d / 4][keys][4], · a panel [keys][8]. `startStep` is PANEL_STEP, or 0 where
 * start is one row.
 */
export function multiplyColumns(
  columns: usize,
  panel: usize,
  keys: u32,
  start: usize,
  startStep: usize,
  result: usize,
): void {
  for (let c: u32 = 0; c < headSize; c += TILE_ROWS) {
    multiplyTile(columns, panel, keys, start, startStep, result, PANEL_STEP);
    columns += (<usize>keys) << 4;
    start += TILE_ROWS * startStep;
    result += TILE_ROWS * PANEL_STEP;
  }
}

/** Fills the last tile's rows that stand for no key. */
export function maskRows(scores: usize, keys: u32): void {
  const end = scores + <usize>((keys + 3) & ~3) * PANEL_STEP;
  for (let at = scores + <usize>keys * PANEL_STEP; at < end; at += 16) v128.store(at, f32x4.splat(NO_SCORE));
}

/**
 * Dropout's factors of the queries from `query` on with the keys from `firstKey`, a multiple of 4, on: [keys][8]. Their
 * counter's last word holds head and key: 65,536 quads are 262,144 tokens.
 */
export function drawPanel(query: u32, firstKey: u32, keys: u32, target: usize): void {
  const places = i32x4.splat(head * 65536 + firstKey / 4);
  for (let half: u32 = 0; half < PANEL; half += 4) {
    const first = i32x4.splat(firstToken + start + query + half);
    const tokens = i32x4.add(first, i32x4(0, 1, 2, 3));
    drawFactors(key, tokens, places, 1, (keys + 3) / 4, threshold, keepScale, target + half * 4, PANEL_STEP);
  }
}

/** `count` rows of d, `stride` bytes apart, = the columns of a panel [d][8]. `quad` is room for four quads. */
export function writeRows(panel: usize, target: usize, stride: usize, count: u32, quad: usize): void {
  for (let row: u32 = 0; row < count; row += 4) {
    for (let c: u32 = 0; c < headSize; c += 4) {
      const source = panel + <usize>c * PANEL_STEP + row * 4;
      const to = target + row * stride + c * 4;
      if (row + 4 <= count) {
        transpose(source, PANEL_STEP, to, stride);
        continue;
      }
      transpose(source, PANEL_STEP, quad, 16);
      for (let i: u32 = 0; i < count - row; i++) v128.store(to + i * stride, v128.load(quad + i * 16));
    }
  }
}
