// Matrix products: result [rows, columns] += left · right, whatever the strides of left and right.
//
// The loops are blocked so that a panel of right, INNER × COLUMNS packed to 24 KiB, stays in a 32 KiB L1 cache while all rows
// go past it. The packing also takes the strides away: one micro-kernel serves x Wᵀ, dy W and dyᵀ x. A result's element is
// summed in the same order wherever its row lies in [first, last), so a split of the rows changes no bit.

const INNER: u32 = 96;
const COLUMNS: u32 = 64;
/** Rows and columns of the result that the micro-kernel holds in registers. */
const TILE_ROWS: u32 = 4;
const TILE_COLUMNS: u32 = 8;

// Packed [columns / 8][inner][8], [inner][4], and a tile [4, 8] that sticks out of the result.
const rightPanel = memory.data(INNER * COLUMNS * 4, 16);
const leftPanel = memory.data(INNER * TILE_ROWS * 4, 16);
const edgeTile = memory.data(TILE_ROWS * TILE_COLUMNS * 4, 16);

// result [4, 8], rows `stride` bytes apart, += leftPanel · a right panel of 8 columns.
function addTile(right: usize, inner: u32, result: usize, stride: usize): void {
  let left = leftPanel;
  const end = left + inner * 16;
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let b0 = a0;
  let b1 = a0;
  let c0 = a0;
  let c1 = a0;
  let d0 = a0;
  let d1 = a0;
  while (left < end) {
    const r0 = v128.load(right);
    const r1 = v128.load(right, 16);
    const a = v128.load_splat<f32>(left);
    a0 = f32x4.add(a0, f32x4.mul(a, r0));
    a1 = f32x4.add(a1, f32x4.mul(a, r1));
    const b = v128.load_splat<f32>(left, 4);
    b0 = f32x4.add(b0, f32x4.mul(b, r0));
    b1 = f32x4.add(b1, f32x4.mul(b, r1));
    const c = v128.load_splat<f32>(left, 8);
    c0 = f32x4.add(c0, f32x4.mul(c, r0));
    c1 = f32x4.add(c1, f32x4.mul(c, r1));
    const d = v128.load_splat<f32>(left, 12);
    d0 = f32x4.add(d0, f32x4.mul(d, r0));
    d1 = f32x4.add(d1, f32x4.mul(d, r1));
    left += 16;
    right += 32;
  }
  addRow(result, a0, a1);
  addRow(result + stride, b0, b1);
  addRow(result + 2 * stride, c0, c1);
  addRow(result + 3 * stride, d0, d1);
}

function addRow(result: usize, near: v128, far: v128): void {
  v128.store(result, f32x4.add(v128.load(result), near));
  v128.store(result, f32x4.add(v128.load(result, 16), far), 16);
}

// The same where only `rows` × `columns` of the tile lie in the result.
function addEdgeTile(right: usize, inner: u32, result: usize, stride: usize, rows: u32, columns: u32): void {
  memory.fill(edgeTile, 0, TILE_ROWS * TILE_COLUMNS * 4);
  addTile(right, inner, edgeTile, TILE_COLUMNS * 4);
  for (let i: u32 = 0; i < rows; i++) {
    for (let j: u32 = 0; j < columns; j++) {
      const at = result + i * stride + j * 4;
      store<f32>(at, load<f32>(at) + load<f32>(edgeTile + (i * TILE_COLUMNS + j) * 4));
    }
  }
}

// `lines` (at most 4) lines of `inner` elements into columns of a panel that is `width` bytes wide; the strides in bytes.
// Lines that are missing become zeros.
function packLines(
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

// 4×4, rows of source becoming columns of the panel.
function transpose(source: usize, lineStride: usize, panel: usize, width: usize): void {
  const a = v128.load(source);
  const b = v128.load(source + lineStride);
  const c = v128.load(source + 2 * lineStride);
  const d = v128.load(source + 3 * lineStride);
  const abLow = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cdLow = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(panel, v128.shuffle<f32>(abLow, cdLow, 0, 1, 4, 5));
  v128.store(panel + width, v128.shuffle<f32>(abLow, cdLow, 2, 3, 6, 7));
  v128.store(panel + 2 * width, v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5));
  v128.store(panel + 3 * width, v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7));
}

// `columns` columns of right, whose last panel of 8 is filled up with zeros.
function packRight(source: usize, columnStride: usize, innerStride: usize, columns: u32, inner: u32): void {
  for (let column: u32 = 0; column < columns; column += TILE_COLUMNS) {
    const panel = rightPanel + column * inner * 4;
    for (let half: u32 = 0; half < TILE_COLUMNS; half += 4) {
      const first = column + half;
      const lines = first < columns ? min(columns - first, 4) : 0;
      packLines(source + first * columnStride, columnStride, innerStride, lines, inner, panel + half * 4, 32);
    }
  }
}

/**
 * Rows first…last of result `[_, columns]` += left · right over `inner`. Strides in elements: of left from one row of the
 * result to the next and along `inner`, of right from one column of the result to the next and along `inner`.
 */
export function addProduct(
  left: usize,
  leftRow: u32,
  leftInner: u32,
  right: usize,
  rightColumn: u32,
  rightInner: u32,
  result: usize,
  columns: u32,
  inner: u32,
  first: u32,
  last: u32,
): void {
  const stride: usize = columns * 4;
  for (let k: u32 = 0; k < inner; k += INNER) {
    const depth = min(inner - k, INNER);
    for (let column: u32 = 0; column < columns; column += COLUMNS) {
      const width = min(columns - column, COLUMNS);
      const source = right + (column * rightColumn + k * rightInner) * 4;
      packRight(source, rightColumn * 4, rightInner * 4, width, depth);
      for (let row = first; row < last; row += TILE_ROWS) {
        const height = min(last - row, TILE_ROWS);
        const rows = left + (row * leftRow + k * leftInner) * 4;
        packLines(rows, leftRow * 4, leftInner * 4, height, depth, leftPanel, 16);
        const target = result + row * stride + column * 4;
        for (let j: u32 = 0; j < width; j += TILE_COLUMNS) {
          const panel = rightPanel + j * depth * 4;
          const tileWidth = min(width - j, TILE_COLUMNS);
          if (height === TILE_ROWS && tileWidth === TILE_COLUMNS)
            addTile(panel, depth, target + j * 4, stride);
          else addEdgeTile(panel, depth, target + j * 4, stride, height, tileWidth);
        }
      }
    }
  }
}

/** Rows first…last of result `[_, columns]` = bias `[columns]` and addend `[_, columns]`, each unless it is 0. */
export function startRows(
  result: usize,
  columns: u32,
  bias: usize,
  addend: usize,
  first: u32,
  last: u32,
): void {
  for (let row = first; row < last; row++) {
    const offset: usize = row * columns * 4;
    for (let j: u32 = 0; j < columns; j++) {
      const at = offset + j * 4;
      let value: f32 = bias === 0 ? 0 : load<f32>(bias + j * 4);
      if (addend !== 0) value += load<f32>(addend + at);
      store<f32>(result + at, value);
    }
  }
}
