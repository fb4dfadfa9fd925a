/** From f32 weights to what is stored of them. */
import { GraftError } from '../errors';
import type { StoredElements, WeightStorage } from './frozen-matrix';

const LARGEST_HALF = 65_504;
const LARGEST_BYTE = 127;

export interface StoredRows {
  readonly elements: StoredElements;
  /** `[rows]`; empty except for int8. */
  readonly scales: Float32Array<ArrayBuffer>;
}

/**
 * Rows `[rows, columns]` as they are stored. int8 is symmetric, a scale per row (per output channel of a linear): the largest
 * magnitude of the row becomes 127. Throws GraftError for a value that f16 cannot hold.
 */
export function storeRows(
  values: Float32Array<ArrayBuffer>,
  columns: number,
  storage: WeightStorage,
): StoredRows {
  switch (storage) {
    case 'f32':
      return { elements: values, scales: new Float32Array(0) };
    case 'f16':
      return { elements: float32ToFloat16(values), scales: new Float32Array(0) };
    case 'int8':
      return quantizeRows(values, columns);
  }
}

/** What kernels compute with: the stored rows as f32. */
export function restoreRows({ elements, scales }: StoredRows, columns: number): Float32Array<ArrayBuffer> {
  if (elements instanceof Float32Array) return elements;
  const isHalf = elements instanceof Uint16Array;
  return Float32Array.from(elements, (element, index) =>
    isHalf ? float16Value(element) : element * (scales[Math.floor(index / columns)] ?? 0),
  );
}

function quantizeRows(values: Float32Array, columns: number): StoredRows {
  const elements = new Int8Array(values.length);
  const scales = new Float32Array(values.length / columns);
  for (let row = 0; row < scales.length; row++) {
    const first = row * columns;
    let largest = 0;
    for (let i = first; i < first + columns; i++) largest = Math.max(largest, Math.abs(values[i] ?? 0));
    const scale = Math.fround(largest / LARGEST_BYTE);
    scales[row] = scale;
    // A row of zeros, or of numbers so small that their scale is 0.
    if (scale === 0) continue;
    for (let i = first; i < first + columns; i++) {
      const rounded = Math.round((values[i] ?? 0) / scale);
      elements[i] = Math.max(-LARGEST_BYTE, Math.min(LARGEST_BYTE, rounded));
    }
  }
  return { elements, scales };
}

/** Bit patterns of the nearest halves, ties to even (IEEE 754-2019, 4.3.1). */
function float32ToFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (word, index) => {
    const sign = (word >>> 16) & 0x8000;
    const magnitude = word & 0x7fffffff;
    if (Math.abs(values[index] ?? 0) > LARGEST_HALF) {
      throw new GraftError(
        `The weight ${values[index]} is too large for f16, which ends at ${LARGEST_HALF}`,
        'Keep the weights in f32 or int8',
      );
    }
    // Below 2⁻¹⁴ halves are subnormal, multiples of 2⁻²⁴: adding 2⁻¹ in f32 rounds to just these.
    if (magnitude < 0x38800000) {
      const shifted = Math.fround(Math.abs(values[index] ?? 0) + 0.5);
      return sign | Math.round((shifted - 0.5) * 2 ** 24);
    }
    const roundBit = (magnitude >>> 13) & 1;
    return sign | ((magnitude - 0x38000000 + 0xfff + roundBit) >>> 13);
  });
}

function float16Value(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
