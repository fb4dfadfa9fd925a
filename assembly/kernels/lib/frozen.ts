// Frozen weights [N, K] as src/backends/wasm/frozen-matrix.ts lays them out: panels of 8 rows, [N / 8][K][8], the last one filled
// up with zeros. So Wᵀ is read as it lies; W is transposed 8 × 8 at a time. An element is f32 (storage 0), f16 (1) or a signed byte
// that its row's scale multiplies (2).

import { transpose } from './transpose';

const F16: u32 = 1;
const PANEL: u32 = 8;

// Four of a panel's row of f16, exact: Giesen, "Half to float done quick" (2012), without infinities and NaN, which no weight is.
function fromHalves(bits: v128): v128 {
  const magnitude = i32x4.shl(v128.and(bits, i32x4.splat(0x7fff)), 13);
  const sign = i32x4.shl(v128.and(bits, i32x4.splat(0x8000)), 16);
  // 2¹¹²: the difference of the exponents' biases. It makes halves that are subnormal normal, too.
  const value = f32x4.mul(magnitude, f32x4.splat(reinterpret<f32>(0x77800000)));
  return v128.or(value, sign);
}

/** Four halves at an even address. */
export function fourHalves(source: usize): v128 {
  return fromHalves(v128.load_ext<u16>(source));
}

/** Four signed bytes. */
export function fourBytes(source: usize): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(source))));
}

/** `elements` (a multiple of 8) of a panel as f32 at `target`. `scalesAt` are the scales of the panel's 8 rows. */
function widen(source: usize, storage: u32, scalesAt: usize, elements: u32, target: usize): void {
  if (storage === F16) {
    for (let i: u32 = 0; i < elements; i += 8) {
      const halves = v128.load(source + i * 2);
      v128.store(target + i * 4, fromHalves(i32x4.extend_low_i16x8_u(halves)));
      v128.store(target + i * 4, fromHalves(i32x4.extend_high_i16x8_u(halves)), 16);
    }
    return;
  }
  const low = v128.load(scalesAt);
  const high = v128.load(scalesAt, 16);
  for (let i: u32 = 0; i < elements; i += 8) {
    const shorts = v128.load_ext<i8>(source + i);
    const first = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(shorts));
    const second = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(shorts));
    v128.store(target + i * 4, f32x4.mul(first, low));
    v128.store(target + i * 4, f32x4.mul(second, high), 16);
  }
}

// Bytes of one element.
function sizeOf(storage: u32): u32 {
  return storage === 0 ? 4 : storage === F16 ? 2 : 1;
}

/** Wᵀ: the panels of rows `row` … `row + width` of W, K from `k` to `k + depth`, as f32 [width / 8][depth][8]. */
export function unpackFrozen(
  weight: usize,
  storage: u32,
  scales: usize,
  columns: u32,
  row: u32,
  width: u32,
  k: u32,
  depth: u32,
  target: usize,
): void {
  for (let i: u32 = 0; i < width; i += PANEL) {
    const source = weight + (<usize>(row + i) * columns + k * PANEL) * sizeOf(storage);
    widen(source, storage, scales + ((<usize>(row + i)) << 2), depth * PANEL, target);
    target += depth * PANEL * 4;
  }
}

// 8 × 8 of f32, rows of 32 bytes on both sides.
function transposeBlock(source: usize, target: usize): void {
  transpose(source, 32, target, 32);
  transpose(source + 16, 32, target + 128, 32);
  transpose(source + 128, 32, target + 16, 32);
  transpose(source + 144, 32, target + 144, 32);
}

/** W: panels of its columns `column` … `column + width`, of its rows `row` … `row + depth`, as f32 [width / 8][depth][8]. */
export function unpackFrozenTransposed(
  weight: usize,
  storage: u32,
  scales: usize,
  columns: u32,
  column: u32,
  width: u32,
  row: u32,
  depth: u32,
  target: usize,
): void {
  // Behind the panels lies room for a block whose last rows or columns the weight does not have.
  const block = target + ((<usize>((width + 7) & ~7) * ((depth + 7) & ~7)) << 2);
  for (let i: u32 = 0; i < depth; i += PANEL) {
    const rows = weight + <usize>(row + i) * columns * sizeOf(storage);
    for (let j: u32 = 0; j < width; j += PANEL) {
      const elements = min(columns - column - j, PANEL) * PANEL;
      let source = rows + (column + j) * PANEL * sizeOf(storage);
      if (storage !== 0) {
        widen(source, storage, scales + ((<usize>(row + i)) << 2), elements, block);
        source = block;
      } else if (elements < PANEL * PANEL) {
        memory.copy(block, source, elements * 4);
        source = block;
      }
      const panel = target + (<usize>j * depth + i * PANEL) * 4;
      if (depth - i >= PANEL) {
        transposeBlock(source, panel);
      } else {
        transposeBlock(source, block + 256);
        memory.copy(panel, block + 256, (depth - i) * PANEL * 4);
      }
    }
  }
}
