/** A tensor in memory that is to be written to a file. */
import { OptionError } from '../errors';
import { float32ToFloat16, LARGEST_HALF } from '../half';
import { show } from './json';
import { elementCount } from './tensor-file';

export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major; as many elements as the shape says. */
  readonly data: Float32Array;
}

/** How numbers are stored. */
export type StoredFloat = 'F32' | 'F16';

/**
 * The elements as they are stored, little-endian.
 * Throws OptionError where one is too large for F16, RangeError for a shape that is not the data's.
 */
export function tensorBytes({ name, shape, data }: NamedTensor, dtype: StoredFloat): Uint8Array {
  if (elementCount(shape) !== data.length) {
    throw new RangeError(`${name}: shape ${show(shape)} with ${data.length} elements`);
  }
  if (dtype === 'F32') {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  const index = data.findIndex((value) => !(Math.abs(value) <= LARGEST_HALF));
  if (index !== -1) {
    throw new OptionError(
      'dtype',
      `f16 ends at ${LARGEST_HALF}; element ${index} of ${name} is ${data[index]}`,
      'Save in f32',
    );
  }
  return new Uint8Array(float32ToFloat16(data).buffer);
}
