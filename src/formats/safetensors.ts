/**
 * safetensors: 8 bytes of header length N (u64, little-endian), N bytes of JSON, then the tensors' bytes.
 * https://github.com/huggingface/safetensors#format. Nothing in the file is believed before it is checked.
 */
import { FileFormatError } from '../errors';
import type { RandomAccessFile } from '../platform/files';
import { isJsonObject, type JsonObject, parseJsonObject, show } from './json';
import { type NamedTensor, type StoredFloat, tensorBytes } from './named-tensor';
import {
  bytesToFloat32,
  elementCount,
  MAX_DIMENSIONS,
  requireFloats,
  type TensorFile,
  type TensorInfo,
  tensorPlace,
} from './tensor-file';

/** Bits per element of every data type that the format knows. */
const BITS: Readonly<Record<string, number>> = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
};

/**
 * The longest header that is read. A checkpoint's header has about 100 bytes a tensor; the bound keeps a lying file from
 * filling the memory.
 */
const MAX_HEADER_BYTES = 16 * 1024 * 1024;

export interface SafetensorsFile extends TensorFile {
  readonly metadata: Readonly<Record<string, string>>;
}

interface PlacedTensor extends TensorInfo {
  /** From the beginning of the file. */
  readonly offset: number;
}

/** Reads and checks the header. `file` is closed by the result's `close`, or here where the header is refused. */
export async function openSafetensors(file: RandomAccessFile): Promise<SafetensorsFile> {
  try {
    const { tensors, metadata } = await readHeader(file);
    return {
      file: file.name,
      metadata,
      names: () => [...tensors.keys()],
      info: (name) => tensors.get(name),
      readFloat32: async (name) => {
        const { offset, byteLength, dtype } = requireFloats(file.name, name, tensors.get(name));
        return bytesToFloat32(await file.read(offset, byteLength), dtype);
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface Header {
  readonly tensors: ReadonlyMap<string, PlacedTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

async function readHeader(file: RandomAccessFile): Promise<Header> {
  if (file.size < 8) {
    throw new FileFormatError(
      file.name,
      undefined,
      `${file.size} bytes are too few for a safetensors file`,
      'Fetch the file again',
    );
  }
  const prefix = await file.read(0, 8);
  const headerLength = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  if (headerLength > BigInt(file.size - 8)) {
    throw new FileFormatError(
      file.name,
      'bytes 0 to 8',
      `the header is said to be ${headerLength} bytes long, but the file has ${file.size}`,
      'It is cut off or not a safetensors file: fetch it again',
    );
  }
  if (headerLength > BigInt(MAX_HEADER_BYTES)) {
    throw new FileFormatError(
      file.name,
      'bytes 0 to 8',
      `a header of ${headerLength} bytes is longer than the ${MAX_HEADER_BYTES} that are read`,
    );
  }
  const bytes = await file.read(8, Number(headerLength));
  return parseHeader(bytes, file.name, file.size);
}

function parseHeader(bytes: Uint8Array, file: string, fileSize: number): Header {
  const object = parseJsonObject(bytes, file, 'header');
  if (countTopLevelKeys(bytes) !== Object.keys(object).length) {
    throw new FileFormatError(file, 'header', 'a tensor name occurs twice');
  }
  const dataStart = 8 + bytes.length;
  const tensors = new Map<string, PlacedTensor>();
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, value] of Object.entries(object)) {
    if (name === '__metadata__') {
      metadata = parseMetadata(value, file);
    } else if (isJsonObject(value)) {
      tensors.set(name, parseTensor(name, value, file, dataStart, fileSize));
    } else {
      throw new FileFormatError(file, tensorPlace(name), `an object was expected, found ${show(value)}`);
    }
  }
  checkLayout(tensors, file, dataStart, fileSize);
  return { tensors, metadata };
}

/** JSON.parse drops all but the last of equal keys. The text is known to be valid: depth and strings are all there is to follow. */
function countTopLevelKeys(json: Uint8Array): number {
  const quote = 0x22;
  const backslash = 0x5c;
  let depth = 0;
  let keys = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const byte = json[i];
    if (inString) {
      if (byte === backslash) {
        i++;
      } else if (byte === quote) {
        inString = false;
      }
    } else if (byte === quote) {
      inString = true;
    } else if (byte === 0x7b || byte === 0x5b) {
      depth++;
    } else if (byte === 0x7d || byte === 0x5d) {
      depth--;
    } else if (byte === 0x3a && depth === 1) {
      keys++;
    }
  }
  return keys;
}

function parseMetadata(value: JsonObject[string], file: string): Readonly<Record<string, string>> {
  if (!isJsonObject(value)) {
    throw new FileFormatError(file, '__metadata__', `an object was expected, found ${show(value)}`);
  }
  const result = new Map<string, string>();
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') {
      throw new FileFormatError(
        file,
        `__metadata__, ${show(key)}`,
        `a string was expected, found ${show(text)}`,
      );
    }
    result.set(key, text);
  }
  return Object.fromEntries(result);
}

function parseTensor(
  name: string,
  value: JsonObject,
  file: string,
  dataStart: number,
  fileSize: number,
): PlacedTensor {
  const place = tensorPlace(name);
  const { dtype, shape, data_offsets: offsets } = value;
  const bits = typeof dtype === 'string' && Object.hasOwn(BITS, dtype) ? BITS[dtype] : undefined;
  if (typeof dtype !== 'string' || bits === undefined) {
    throw new FileFormatError(file, place, `unknown dtype ${show(dtype)}`);
  }
  if (!isSizeList(shape) || shape.length > MAX_DIMENSIONS) {
    throw new FileFormatError(
      file,
      place,
      `a shape of non-negative integers was expected, found ${show(shape)}`,
    );
  }
  if (!isSizeList(offsets) || offsets.length !== 2) {
    throw new FileFormatError(file, place, `data_offsets [begin, end] were expected, found ${show(offsets)}`);
  }
  const [begin = 0, end = 0] = offsets;
  if (begin > end || end > fileSize - dataStart) {
    throw new FileFormatError(
      file,
      place,
      `data_offsets ${show(offsets)} are outside the file's ${fileSize - dataStart} bytes of data`,
      'The file is cut off or damaged: fetch it again',
    );
  }
  const byteLength = end - begin;
  if (elementCount(shape) * bits !== byteLength * 8) {
    throw new FileFormatError(
      file,
      place,
      `${dtype} of shape ${show(shape)} does not fill the ${byteLength} bytes of its data_offsets`,
    );
  }
  return { dtype, shape, byteLength, offset: dataStart + begin };
}

/** The tensors must fill the data exactly: sorted by offset, each begins where the one before ends, the last at the end. */
function checkLayout(
  tensors: ReadonlyMap<string, PlacedTensor>,
  file: string,
  dataStart: number,
  fileSize: number,
): void {
  const sorted = [...tensors].sort(([, a], [, b]) => a.offset - b.offset || a.byteLength - b.byteLength);
  let end = dataStart;
  for (const [name, tensor] of sorted) {
    if (tensor.offset !== end) {
      const problem =
        tensor.offset < end
          ? 'its bytes overlap those of another tensor'
          : `${tensor.offset - end} bytes before it belong to no tensor`;
      throw new FileFormatError(file, tensorPlace(name), problem);
    }
    end += tensor.byteLength;
  }
  if (end !== fileSize) {
    throw new FileFormatError(file, undefined, `${fileSize - end} bytes at its end belong to no tensor`);
  }
}

function isSizeList(value: JsonObject[string]): value is readonly number[] {
  return (
    Array.isArray(value) &&
    value.every((size: unknown) => typeof size === 'number' && Number.isSafeInteger(size) && size >= 0)
  );
}

/**
 * A safetensors file, in the order given. The header is padded with spaces, so that the data begins at a multiple of 8.
 * Throws OptionError where a number is too large for F16, RangeError for a shape that is not the data's or a name that occurs twice.
 */
export function writeSafetensors(
  tensors: readonly NamedTensor[],
  options: { readonly metadata?: Readonly<Record<string, string>>; readonly dtype?: StoredFloat } = {},
): Uint8Array<ArrayBuffer> {
  const { metadata, dtype = 'F32' } = options;
  const entries: string[] = [];
  if (metadata !== undefined) {
    entries.push(`"__metadata__":${JSON.stringify(metadata)}`);
  }
  const parts: Uint8Array[] = [];
  const seen = new Set<string>(['__metadata__']);
  let end = 0;
  for (const tensor of tensors) {
    const { name, shape } = tensor;
    if (seen.has(name)) throw new RangeError(`${name}: the name is taken`);
    seen.add(name);
    const part = tensorBytes(tensor, dtype);
    const offsets = [end, end + part.length];
    entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: offsets })}`);
    parts.push(part);
    end += part.length;
  }
  const json = new TextEncoder().encode(`{${entries.join(',')}}`);
  const headerLength = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + headerLength + end).fill(0x20, 8, 8 + headerLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.set(json, 8);
  let offset = 8 + headerLength;
  for (const part of parts) {
    file.set(part, offset);
    offset += part.length;
  }
  return file;
}
