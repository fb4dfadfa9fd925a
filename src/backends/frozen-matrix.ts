/** Frozen matrices on a device: pretrained weights, kept in fewer bytes where one asks for it. */
import type { DeviceBuffer } from './schedule';

/** How an element is kept: f32; f16; or a signed byte that its row's f32 scale multiplies. Products accumulate in f32 always. */
export type WeightStorage = 'f32' | 'f16' | 'int8';

export const BYTES_PER_ELEMENT: Readonly<Record<WeightStorage, number>> = { f32: 4, f16: 2, int8: 1 };

/** `WeightStorage` as kernels receive it. */
export function storageCode(storage: WeightStorage): number {
  return storage === 'f32' ? 0 : storage === 'f16' ? 1 : 2;
}

export interface FrozenMatrixSpec {
  readonly label: string;
  readonly rows: number;
  readonly columns: number;
  readonly storage: WeightStorage;
  /** Products read it in the order that suits their kernels, tables row by row. */
  readonly use: 'product' | 'table';
}

/** Stored rows: f32 as such, f16 as bit patterns, or signed bytes. */
export type StoredElements = Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Int8Array<ArrayBuffer>;

/** A matrix in device memory, in whatever order the device's kernels read it. */
export interface FrozenMatrixBuffer {
  readonly buffer: DeviceBuffer;
  /** Whole rows from `firstRow` on; every row is written once, `firstRow` a multiple of 8. */
  writeRows(firstRow: number, elements: StoredElements): void;
  /** All rows, as they were written. */
  readRows(): Promise<StoredElements>;
}

/** Words of one row of a table: rows begin at multiples of 4 bytes. */
export function wordsPerRow({ columns, storage }: Pick<FrozenMatrixSpec, 'columns' | 'storage'>): number {
  return Math.ceil((columns * BYTES_PER_ELEMENT[storage]) / 4);
}

/** An array for `length` elements of a storage. */
export function storedElements(storage: WeightStorage, length: number): StoredElements {
  switch (storage) {
    case 'f32':
      return new Float32Array(length);
    case 'f16':
      return new Uint16Array(length);
    case 'int8':
      return new Int8Array(length);
  }
}

/** What `packRows` packed. */
export function unpackRows(
  words: ArrayBuffer,
  { rows, columns, storage }: Pick<FrozenMatrixSpec, 'rows' | 'columns' | 'storage'>,
): StoredElements {
  const elements = storedElements(storage, rows * columns);
  const bytes = new Uint8Array(elements.buffer);
  const rowBytes = wordsPerRow({ columns, storage }) * 4;
  const size = columns * elements.BYTES_PER_ELEMENT;
  for (let row = 0; row < rows; row++) {
    bytes.set(new Uint8Array(words, row * rowBytes, size), row * size);
  }
  return elements;
}

/** Rows of elements as words, row after row, the last word of each filled up with zeros. */
export function packRows(elements: StoredElements, columns: number): Uint32Array<ArrayBuffer> {
  const size = elements.BYTES_PER_ELEMENT;
  const rows = elements.length / columns;
  const rowBytes = Math.ceil((columns * size) / 4) * 4;
  if (rowBytes === columns * size && elements.byteOffset % 4 === 0) {
    return new Uint32Array(elements.buffer, elements.byteOffset, elements.byteLength / 4);
  }
  const bytes = new Uint8Array(rows * rowBytes);
  for (let row = 0; row < rows; row++) {
    const source = elements.byteOffset + row * columns * size;
    bytes.set(new Uint8Array(elements.buffer, source, columns * size), row * rowBytes);
  }
  return new Uint32Array(bytes.buffer);
}
