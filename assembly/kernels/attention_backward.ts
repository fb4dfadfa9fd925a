// The backward pass of attention.ts: twin of shaders/attention_backward.wgsl. Items and parameters: see lib/attention.ts.
// Derivation: docs/derivations/attention.md.

import {
  BLOCK_BYTES,
  begin,
  blockKeys,
  drawPanel,
  findHead,
  hasDropout,
  headSize,
  LOG2E,
  length,
  maskRows,
  multiplyColumns,
  multiplyRows,
  outputOf,
  PANEL,
  PANEL_STEP,
  paddedHead,
  qkv,
  queryOf,
  rowBytes,
  scale,
  scale2,
  statisticOf,
  writeRows,
} from './lib/attention';
import { bufferAt } from './lib/batch';
import { exp2OfNegative } from './lib/exp';
import { dot } from './lib/lanes';
import { scratch } from './lib/scratch';
import { multiplyTile, packColumns, packRows, TILE_COLUMNS, TILE_ROWS } from './lib/tile';
import { transpose } from './lib/transpose';

/** Queries whose part of dk and dv is summed in one go. */
const QUERIES: u32 = 32;

let outputGradient: usize = 0;
let logSumExp: usize = 0;
let qkvGradient: usize = 0;
let output: usize = 0;
let delta: usize = 0;

// Working memory. Of a block of keys: keys and values as tiles [n / 4][d][4], keys as [d / 4][n][4], dk and dv [n][d].
let keys: usize = 0;
let values: usize = 0;
let keyColumns: usize = 0;
let keyGradient: usize = 0;
let valueGradient: usize = 0;
// Of a panel: scores, then ds / √d, and dp, then f p, and the factors, all [n][8]; queries, do and dq [d][8].
let scores: usize = 0;
let products: usize = 0;
let factors: usize = 0;
let queries: usize = 0;
let gradients: usize = 0;
let queryGradient: usize = 0;
// Of QUERIES queries: ds / √d and f p the other way round, [n / 4][QUERIES][4]; queries and do as panels [d / 8][QUERIES][8].
let scoreTiles: usize = 0;
let weightTiles: usize = 0;
let queryColumns: usize = 0;
let gradientColumns: usize = 0;
// Rows of 8: zeros, log₂ Σ exp s and D of a panel's queries. Four quads.
let zeros: usize = 0;
let logSums: usize = 0;
let deltas: usize = 0;
let quad: usize = 0;

function layOut(): void {
  keys = scratch();
  values = keys + BLOCK_BYTES;
  keyColumns = values + BLOCK_BYTES;
  keyGradient = keyColumns + BLOCK_BYTES;
  valueGradient = keyGradient + BLOCK_BYTES;
  scoreTiles = valueGradient + BLOCK_BYTES;
  weightTiles = scoreTiles + 131072;
  scores = weightTiles + 131072;
  products = scores + 32768;
  factors = products + 32768;
  queryColumns = factors + 32768;
  gradientColumns = queryColumns + 16384;
  queries = gradientColumns + 16384;
  gradients = queries + 4096;
  queryGradient = gradients + 4096;
  zeros = queryGradient + 4096;
  memory.fill(zeros, 0, PANEL_STEP);
  logSums = zeros + PANEL_STEP;
  deltas = logSums + PANEL_STEP;
  quad = deltas + PANEL_STEP;
}

function packBlock(firstKey: u32, count: u32): void {
  const k = queryOf(qkv, firstKey) + rowBytes;
  const stride = 3 * rowBytes;
  packRows(k, stride, 4, count, headSize, keys);
  packRows(k + rowBytes, stride, 4, count, headSize, values);
  packRows(k, 4, stride, headSize, count, keyColumns);
}

// D = do · o, and log Σ exp s for exponents of 2. Lanes without a query are finite, and their queries and do are zeros.
function readStatistics(query: u32, count: u32): void {
  for (let at: usize = 0; at < PANEL_STEP; at += 16) {
    v128.store(logSums + at, f32x4.splat(0));
    v128.store(deltas + at, f32x4.splat(0));
  }
  for (let i: u32 = 0; i < count; i++) {
    const d = dot(outputOf(outputGradient, query + i), outputOf(output, query + i), (<usize>headSize) << 2);
    store<f32>(statisticOf(delta, query + i), d);
    store<f32>(deltas + i * 4, d);
    store<f32>(logSums + i * 4, load<f32>(statisticOf(logSumExp, query + i)) * LOG2E);
  }
}

// In a panel's half: scores become ds / √d = p (dp f − D) / √d, products become f p; both also go into the tiles, from
// query `place` of them on.
function differentiate(half: usize, count: u32, place: u32): void {
  const logSum = v128.load(logSums + half);
  const d = v128.load(deltas + half);
  let scoreTile = scoreTiles + ((<usize>place) << 4);
  let weightTile = weightTiles + ((<usize>place) << 4);
  const end = <usize>((count + 3) & ~3) * PANEL_STEP + half;
  for (let at = half; at < end; at += PANEL_STEP) {
    const exponent = f32x4.sub(f32x4.mul(v128.load(scores + at), f32x4.splat(scale2)), logSum);
    const p = exp2OfNegative(exponent);
    let dp = v128.load(products + at);
    let weight = p;
    if (hasDropout) {
      const factor = v128.load(factors + at);
      dp = f32x4.mul(dp, factor);
      weight = f32x4.mul(p, factor);
    }
    v128.store(products + at, weight);
    v128.store(scores + at, f32x4.mul(f32x4.mul(p, f32x4.splat(scale)), f32x4.sub(dp, d)));
  }
  for (let at = half; at < end; at += TILE_ROWS * PANEL_STEP) {
    transpose(scores + at, PANEL_STEP, scoreTile, 16);
    transpose(products + at, PANEL_STEP, weightTile, 16);
    scoreTile += QUERIES * 16;
    weightTile += QUERIES * 16;
  }
}

// A panel of queries against a block of keys: dq is written or, after the first block, added to.
function differentiatePanel(query: u32, firstKey: u32, count: u32, place: u32): void {
  const live = min(PANEL, length - query);
  packColumns(queryOf(qkv, query), 3 * rowBytes, 4, live, headSize, queries);
  packColumns(outputOf(outputGradient, query), rowBytes, 4, live, headSize, gradients);
  readStatistics(query, live);
  multiplyRows(keys, queries, count, zeros, scores);
  multiplyRows(values, gradients, count, zeros, products);
  maskRows(scores, count);
  if (hasDropout) drawPanel(query, firstKey, count, factors);
  differentiate(0, count, place);
  differentiate(16, count, place + 4);
  const target = queryOf(qkvGradient, query);
  if (firstKey === 0) {
    multiplyColumns(keyColumns, scores, count, zeros, 0, queryGradient);
  } else {
    packColumns(target, 3 * rowBytes, 4, live, headSize, queryGradient);
    multiplyColumns(keyColumns, scores, count, queryGradient, PANEL_STEP, queryGradient);
  }
  writeRows(queryGradient, target, 3 * rowBytes, live, quad);
}

// result [n][d] = or += tiles [n / 4][QUERIES][4] · columns [d / 8][count][8].
function addQueries(
  tiles: usize,
  columns: usize,
  keyCount: u32,
  count: u32,
  isFirst: bool,
  result: usize,
): void {
  const width = (<usize>paddedHead()) << 2;
  for (let j: u32 = 0; j < keyCount; j += TILE_ROWS) {
    let panel = columns;
    for (let c: usize = 0; c < width; c += TILE_COLUMNS * 4) {
      const target = result + c;
      if (isFirst) multiplyTile(tiles, panel, count, zeros, 0, target, width);
      else multiplyTile(tiles, panel, count, target, width, target, width);
      panel += <usize>count * PANEL_STEP;
    }
    tiles += QUERIES * 16;
    result += TILE_ROWS * width;
  }
}

function differentiateQueries(query: u32, firstKey: u32, keyCount: u32): void {
  const count = min(QUERIES, length - query);
  for (let place: u32 = 0; place < count; place += PANEL) {
    differentiatePanel(query + place, firstKey, keyCount, place);
  }
  packColumns(queryOf(qkv, query), 4, 3 * rowBytes, headSize, count, queryColumns);
  packColumns(outputOf(outputGradient, query), 4, rowBytes, headSize, count, gradientColumns);
  addQueries(scoreTiles, queryColumns, keyCount, count, query === 0, keyGradient);
  addQueries(weightTiles, gradientColumns, keyCount, count, query === 0, valueGradient);
}

// A call of memory.copy costs more than so few bytes.
function copyRow(source: usize, target: usize): void {
  for (let c: usize = 0; c < (<usize>headSize) << 2; c += 16) v128.store(target + c, v128.load(source + c));
}

function differentiateHead(): void {
  const width = (<usize>paddedHead()) << 2;
  for (let firstKey: u32 = 0; firstKey < length; firstKey += blockKeys) {
    const count = min(blockKeys, length - firstKey);
    packBlock(firstKey, count);
    for (let query: u32 = 0; query < length; query += QUERIES) differentiateQueries(query, firstKey, count);
    for (let j: u32 = 0; j < count; j++) {
      const target = queryOf(qkvGradient, firstKey + j) + rowBytes;
      copyRow(keyGradient + j * width, target);
      copyRow(valueGradient + j * width, target + rowBytes);
    }
  }
}

/**
 * dq, dk and dv, and D = do · o `[T, heads]`: on one thread a pass over the scores serves all three, where the GPU makes two.
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
  layOut();
  outputGradient = bufferAt(buffers, 2);
  logSumExp = bufferAt(buffers, 3);
  qkvGradient = bufferAt(buffers, 4);
  output = bufferAt(buffers, 5);
  delta = bufferAt(buffers, 6);
  for (let item = first; item < last; item++) if (findHead(item)) differentiateHead();
}

/** dk and dv, which attention_backward_query has written already: it has no items. */
export function attention_backward_key(
  _params: usize,
  _batch: usize,
  _buffers: usize,
  _first: u32,
  _last: u32,
): void {}
