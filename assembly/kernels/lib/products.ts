// Matrix products: result [rows, columns] = start + left · right, with right as lib/right.ts was told.
//
// The loops are blocked for the caches: BLOCK_ROWS × BLOCK_INNER of left, packed, and BLOCK_COLUMNS of right lie in the L2 cache
// (512 and 256 KiB); of these a panel of 8 columns (16 KiB) stays in the L1 cache while all row tiles go past it. An element is
// summed in the same order wherever its row lies in [first, last): a split of the rows changes no bit.

import { panelStride, panels } from './right';
import { scratch } from './scratch';
import { LEFT_STEP, multiplyTile, packRows, TILE_COLUMNS, TILE_ROWS } from './tile';

const BLOCK_ROWS: u32 = 256;
const BLOCK_INNER: u32 = 512;
const BLOCK_COLUMNS: u32 = 128;

// Where they lie in the thread's scratch. Behind right's block there is room for lib/frozen.ts.
const LEFT_AT: usize = 0;
const RIGHT_AT: usize = LEFT_AT + BLOCK_ROWS * BLOCK_INNER * 4;
const EDGE_AT: usize = RIGHT_AT + BLOCK_COLUMNS * BLOCK_INNER * 4 + 1024;
/** Eight zeros: what a product starts from that has neither bias nor addend. */
const ZEROS_AT: usize = EDGE_AT + TILE_ROWS * TILE_COLUMNS * 4;

// What the elements of the product at hand start from; strides in bytes.
let start: usize = 0;
let startRow: usize = 0;
let startColumn: usize = 0;

// From 0.
function startAtZero(): void {
  start = scratch() + ZEROS_AT;
  memory.fill(start, 0, TILE_COLUMNS * 4);
  startRow = 0;
  startColumn = 0;
}

// From each row = bias [columns].
function startAtRow(bias: usize): void {
  start = bias;
  startRow = 0;
  startColumn = 4;
}

/** From a matrix [_, columns], which may be the result itself. */
export function startAtMatrix(matrix: usize, columns: u32): void {
  start = matrix;
  startRow = (<usize>columns) << 2;
  startColumn = 4;
}

/** From bias `[columns]` and addend `[_, columns]`, each unless it is 0; their sum is put into rows first…last of the result. */
export function startProduct(
  result: usize,
  columns: u32,
  bias: usize,
  addend: usize,
  first: u32,
  last: u32,
): void {
  if (bias !== 0 && addend !== 0) {
    addRowTo(result, bias, addend, columns, first, last);
    startAtMatrix(result, columns);
  } else if (addend !== 0) {
    startAtMatrix(addend, columns);
  } else if (bias !== 0) {
    startAtRow(bias);
  } else {
    startAtZero();
  }
}

// Rows first…last of target = bias `[columns]` + addend `[_, columns]`.
function addRowTo(target: usize, bias: usize, addend: usize, columns: u32, first: u32, last: u32): void {
  for (let row = first; row < last; row++) {
    const offset: usize = (<usize>row * columns) << 2;
    let j: u32 = 0;
    for (; j + 4 <= columns; j += 4) {
      const at = offset + j * 4;
      v128.store(target + at, f32x4.add(v128.load(bias + j * 4), v128.load(addend + at)));
    }
    for (; j < columns; j++) {
      const at = offset + j * 4;
      store<f32>(target + at, load<f32>(bias + j * 4) + load<f32>(addend + at));
    }
  }
}

// A tile of which only `rows` × `columns` lie in the result.
function multiplyEdge(
  left: usize,
  right: usize,
  inner: u32,
  from: usize,
  fromStride: usize,
  result: usize,
  stride: usize,
  rows: u32,
  columns: u32,
): void {
  const edge = scratch() + EDGE_AT;
  memory.fill(edge, 0, TILE_ROWS * TILE_COLUMNS * 4);
  for (let i: u32 = 0; i < rows; i++) {
    memory.copy(edge + i * TILE_COLUMNS * 4, from + i * fromStride, columns * 4);
  }
  multiplyTile(left, right, inner, edge, TILE_COLUMNS * 4, edge, TILE_COLUMNS * 4);
  for (let i: u32 = 0; i < rows; i++) {
    memory.copy(result + i * stride, edge + i * TILE_COLUMNS * 4, columns * 4);
  }
}

// All row tiles of a packed block of left past one panel; `width` columns of it lie in the result.
function multiplyPanel(
  panel: usize,
  inner: u32,
  rows: u32,
  width: u32,
  from: usize,
  fromStride: usize,
  result: usize,
  stride: usize,
): void {
  let left = scratch() + LEFT_AT;
  for (let row: u32 = 0; row < rows; row += TILE_ROWS) {
    const height = min(rows - row, TILE_ROWS);
    if (height === TILE_ROWS && width === TILE_COLUMNS) {
      multiplyTile(left, panel, inner, from, fromStride, result, stride);
    } else {
      multiplyEdge(left, panel, inner, from, fromStride, result, stride, height, width);
    }
    left += inner * LEFT_STEP;
    from += TILE_ROWS * fromStride;
    result += TILE_ROWS * stride;
  }
}

/**
 * Rows first…last of result `[_, columns]` = start + left · right over `inner`. Strides of left in elements, from one row of the
 * result to the next and along `inner`. What it starts from and right are set before.
 */
export function multiply(
  left: usize,
  leftRow: u32,
  leftInner: u32,
  result: usize,
  columns: u32,
  inner: u32,
  first: u32,
  last: u32,
): void {
  const stride: usize = (<usize>columns) << 2;
  for (let row = first; row < last; row += BLOCK_ROWS) {
    const height = min(last - row, BLOCK_ROWS);
    for (let k: u32 = 0; k < inner; k += BLOCK_INNER) {
      const depth = min(inner - k, BLOCK_INNER);
      const source = left + ((<usize>row * leftRow + <usize>k * leftInner) << 2);
      packRows(source, (<usize>leftRow) << 2, (<usize>leftInner) << 2, height, depth, scratch() + LEFT_AT);
      for (let column: u32 = 0; column < columns; column += BLOCK_COLUMNS) {
        const width = min(columns - column, BLOCK_COLUMNS);
        let panel = panels(column, width, k, depth, scratch() + RIGHT_AT);
        for (let j: u32 = 0; j < width; j += TILE_COLUMNS) {
          const target = result + row * stride + ((column + j) << 2);
          const from = k === 0 ? start + row * startRow + (column + j) * startColumn : target;
          const tileWidth = min(width - j, TILE_COLUMNS);
          multiplyPanel(panel, depth, height, tileWidth, from, k === 0 ? startRow : stride, target, stride);
          panel += panelStride();
        }
      }
    }
  }
}
