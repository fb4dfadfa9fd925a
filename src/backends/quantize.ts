/** From f32 weights to what is stored of them. */
import { GraftError } from '../errors';
import { float32ToFloat16, LARGEST_HALF } from '../half';
import type { StoredElements, WeightStorage } from './frozen-matrix';

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
      return { elements: halvesOf(values), scales: new Float32Array(0) };
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

function halvesOf(values: Float32Array): Uint16Array<ArrayBuffer> {
  const tooLarge = values.find((value) => Math.abs(value) > LARGEST_HALF);
  if (tooLarge !== undefined) {
    throw new GraftError(
      `The weight ${tooLarge} is too large for f16, which ends at ${LARGEST_HALF}`,
      'Keep the weights in f32 or int8',
    );
  }
  return float32ToFloat16(values);
}

function float16Value(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
