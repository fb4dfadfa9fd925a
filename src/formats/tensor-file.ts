/** What a file of named tensors offers, whatever its format: safetensors or PyTorch's pickle. */
import { FileFormatError } from '../errors';
import { bfloat16ToFloat32, float16ToFloat32 } from '../half';
import { show } from './json';

/** Far more than any real tensor has; a longer shape would only be an attack on whoever prints it. */
export const MAX_DIMENSIONS = 16;

/** The data types that `readFloat32` converts. */
export const FLOAT_TYPES: readonly string[] = ['F32', 'F16', 'BF16', 'F64'];

export interface TensorInfo {
  /** In safetensors' names: 'F32', 'F16', 'BF16', 'F64', 'I64' … */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly byteLength: number;
}

export interface TensorFile {
  /** Of the file, for messages. */
  readonly file: string;
  /** In the file's order. */
  names(): string[];
  /** `undefined` where the file has no such tensor. */
  info(name: string): TensorInfo | undefined;
  /**
   * The tensor's elements, row-major; F16 and BF16 converted exactly, F64 to the nearest f32.
   * Throws FileFormatError for an unknown name or a type that is not one of `FLOAT_TYPES`.
   */
  readFloat32(name: string): Promise<Float32Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Whether `readFloat32` can convert this data type. */
export function isFloatType(dtype: string): boolean {
  return FLOAT_TYPES.includes(dtype);
}

/** `tensor`, where it is one that can be read as floats; else throws FileFormatError. */
export function requireFloats<T extends TensorInfo>(file: string, name: string, tensor: T | undefined): T {
  if (tensor === undefined) {
    throw new FileFormatError(file, tensorPlace(name), 'the file has no such tensor');
  }
  if (!isFloatType(tensor.dtype)) {
    throw new FileFormatError(
      file,
      tensorPlace(name),
      `dtype ${tensor.dtype} cannot be read as numbers of 32 bits`,
      `Save it as one of ${FLOAT_TYPES.join(', ')}`,
    );
  }
  return tensor;
}

/** Little-endian elements of one of `FLOAT_TYPES` as f32. */
export function bytesToFloat32(bytes: Uint8Array<ArrayBuffer>, dtype: string): Float32Array<ArrayBuffer> {
  switch (dtype) {
    case 'F32': {
      const [buffer, offset] = aligned(bytes, 4);
      return new Float32Array(buffer, offset, bytes.length / 4);
    }
    case 'F64': {
      const [buffer, offset] = aligned(bytes, 8);
      return Float32Array.from(new Float64Array(buffer, offset, bytes.length / 8));
    }
    case 'F16':
    case 'BF16': {
      const [buffer, offset] = aligned(bytes, 2);
      const halves = new Uint16Array(buffer, offset, bytes.length / 2);
      return dtype === 'F16' ? float16ToFloat32(halves) : bfloat16ToFloat32(halves);
    }
    default:
      throw new RangeError(`${dtype} is no float type`);
  }
}

/** A typed array must begin at a multiple of its element size; a file's bytes in memory may not. */
function aligned(bytes: Uint8Array<ArrayBuffer>, size: number): [ArrayBuffer, number] {
  return bytes.byteOffset % size === 0 ? [bytes.buffer, bytes.byteOffset] : [bytes.slice().buffer, 0];
}

/** `readFloat32`, where NaN or an infinity is a FileFormatError naming the element. */
export async function readFiniteFloat32(
  tensors: TensorFile,
  name: string,
): Promise<Float32Array<ArrayBuffer>> {
  const values = await tensors.readFloat32(name);
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index !== -1) {
    throw new FileFormatError(
      tensors.file,
      `${tensorPlace(name)}, element ${index}`,
      `${values[index]} is no weight`,
      'The file is damaged, or its training had diverged',
    );
  }
  return values;
}

/** Elements of a shape. May be inexact or infinite where it is huge; a file's length is far below that, so comparisons still fail. */
export function elementCount(shape: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
}

/** For messages: tensor "name". */
export function tensorPlace(name: string): string {
  return `tensor ${show(name)}`;
}
