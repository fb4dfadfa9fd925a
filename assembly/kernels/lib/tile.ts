// The micro-kernel of all matrix products, and how its operands are packed.
//
// A tile of the result is 4 × 8, held in eight registers: V8 has fifteen for SIMD, and larger tiles spill (measured: 5 × 8 and
// 6 × 8 reach 80% and 70% of its speed, two steps of `inner` at once 75%). Left is packed [inner][4], right [inner][8].

import { transpose } from './transpose';

export const TILE_ROWS: u32 = 4;
export const TILE_COLUMNS: u32 = 8;
/** Bytes of one step of `inner` in a packed row tile and in a packed panel of columns. */
export const LEFT_STEP: usize = 16;
export const RIGHT_STEP: usize = 32;

// sum + a b; in one rounding where the engine has relaxed SIMD.
function multiplyAdd(sum: v128, a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, sum);
  return f32x4.add(sum, f32x4.mul(a, b));
}

/**
 * result [4, 8] = start [4, 8] + left · right. Strides are bytes from one row to the next; start may be the result itself, or a
 * single row (stride 0), as a bias is.
 */
export function multiplyTile(
  left: usize,
  right: usize,
  inner: u32,
  start: usize,
  startStride: usize,
  result: usize,
  stride: usize,
): void {
  let a0 = v128.load(start);
  let a1 = v128.load(start, 16);
  start += startStride;
  let b0 = v128.load(start);
  let b1 = v128.load(start, 16);
  start += startStride;
  let c0 = v128.load(start);
  let c1 = v128.load(start, 16);
  start += startStride;
  let d0 = v128.load(start);
  let d1 = v128.load(start, 16);
  const end = left + inner * LEFT_STEP;
  while (left < end) {
    const r0 = v128.load(right);
    const r1 = v128.load(right, 16);
    const a = v128.load_splat<f32>(left);
    a0 = multiplyAdd(a0, a, r0);
    a1 = multiplyAdd(a1, a, r1);
    const b = v128.load_splat<f32>(left, 4);
    b0 = multiplyAdd(b0, b, r0);
    b1 = multiplyAdd(b1, b, r1);
    const c = v128.load_splat<f32>(left, 8);
    c0 = multiplyAdd(c0, c, r0);
    c1 = multiplyAdd(c1, c, r1);
    const d = v128.load_splat<f32>(left, 12);
    d0 = multiplyAdd(d0, d, r0);
    d1 = multiplyAdd(d1, d, r1);
    left += LEFT_STEP;
    right += RIGHT_STEP;
  }
  v128.store(result, a0);
  v128.store(result, a1, 16);
  result += stride;
  v128.store(result, b0);
  v128.store(result, b1, 16);
  result += stride;
  v128.store(result, c0);
  v128.store(result, c1, 16);
  result += stride;
  v128.store(result, d0);
  v128.store(result, d1, 16);
}

/**
 * `lines` (at most 4) lines of `inner` elements become columns of a panel whose rows are `width` bytes; strides in bytes. Lines
 * that are missing become zeros.
 */
export function packLines(
  source: usize,
  lineStride: usize,
  innerStride: usize,
  lines: u32,
  inner: u32,
  panel: usize,
  width: usize,
): void {
  let k: u32 = 0;
  if (lines === 4 && lineStride === 4) {
    for (; k < inner; k++) v128.store(panel + k * width, v128.load(source + k * innerStride));
    return;
  }
  if (lines === 4 && innerStride === 4) {
    for (; k + 4 <= inner; k += 4) transpose(source + k * 4, lineStride, panel + k * width, width);
  }
  for (; k < inner; k++) {
    const from = source + k * innerStride;
    const to = panel + k * width;
    for (let line: u32 = 0; line < 4; line++) {
      store<f32>(to + line * 4, line < lines ? load<f32>(from + line * lineStride) : 0);
    }
  }
}

/** Rows of a matrix as row tiles, one behind the other: [rows / 4][inner][4]. */
export function packRows(
  source: usize,
  rowStride: usize,
  innerStride: usize,
  rows: u32,
  inner: u32,
  target: usize,
): void {
  for (let row: u32 = 0; row < rows; row += TILE_ROWS) {
    const lines = min(rows - row, TILE_ROWS);
    packLines(source + row * rowStride, rowStride, innerStride, lines, inner, target, LEFT_STEP);
    target += inner * LEFT_STEP;
  }
}

/** Columns of a matrix as panels of 8: [columns / 8][inner][8]. The last one is filled up with zeros. */
export function packColumns(
  source: usize,
  columnStride: usize,
  innerStride: usize,
  columns: u32,
  inner: u32,
  target: usize,
): void {
  for (let column: u32 = 0; column < columns; column += TILE_COLUMNS) {
    for (let half: u32 = 0; half < TILE_COLUMNS; half += 4) {
      const first = column + half;
      const lines = first < columns ? min(columns - first, 4) : 0;
      const from = source + first * columnStride;
      packLines(from, columnStride, innerStride, lines, inner, target + half * 4, RIGHT_STEP);
    }
    target += inner * RIGHT_STEP;
  }
}
