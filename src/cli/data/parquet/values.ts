import { readDeltas, readHybrid } from './bits';
import type { ByteReader } from './byte-reader';
import { damaged, ParquetProblem, unsupported } from './problem';
import type { SchemaLeaf } from './schema';

/** What a cell may be, before records are put together. */
export type Scalar = string | number | boolean;

/** parquet.thrift: Encoding. */
export const PLAIN = 0;
const RLE = 3;
const DELTA_BINARY_PACKED = 5;
const DELTA_LENGTH_BYTE_ARRAY = 6;
const DELTA_BYTE_ARRAY = 7;
const DICTIONARIES = new Set([2, 8]);
const BYTE_STREAM_SPLIT = 9;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The next `count` values of a page, none of them null. */
export function readValues(
  reader: ByteReader,
  leaf: SchemaLeaf,
  encoding: number,
  count: number,
  dictionary: readonly Scalar[] | undefined,
): Scalar[] {
  if (leaf.meaning === 'other')
    throw unsupported(`bytes, dates or decimal numbers in "${leaf.path.join('.')}"`);
  if (DICTIONARIES.has(encoding)) return readReferences(reader, count, dictionary);
  switch (encoding) {
    case PLAIN:
      return readPlain(reader, leaf, count);
    case RLE:
      if (leaf.type !== 'BOOLEAN') break;
      // Its length, which the page's own tells already.
      reader.uint32();
      return Array.from(readHybrid(reader, 1, count), (bit) => bit === 1);
    case DELTA_BINARY_PACKED:
      if (leaf.type !== 'INT32' && leaf.type !== 'INT64') break;
      return Array.from(readDeltas(reader, count), (value) => integerOf(value, leaf));
    case DELTA_LENGTH_BYTE_ARRAY:
      if (leaf.type !== 'BYTE_ARRAY') break;
      return readTexts(reader, count).map((bytes) => textOf(bytes, leaf));
    case DELTA_BYTE_ARRAY:
      if (leaf.type !== 'BYTE_ARRAY') break;
      return readPrefixed(reader, leaf, count);
    case BYTE_STREAM_SPLIT:
      return readSplit(reader, leaf, count);
  }
  throw unsupported(`values of the type ${leaf.type} in the encoding ${encoding}`);
}

/** Places in the dictionary. */
function readReferences(
  reader: ByteReader,
  count: number,
  dictionary: readonly Scalar[] | undefined,
): Scalar[] {
  if (count === 0) return [];
  const references = readHybrid(reader, reader.byte(), count);
  return Array.from(references, (reference) => {
    const value = dictionary?.[reference];
    if (value === undefined) throw damaged(`its dictionary has no value ${reference}`);
    return value;
  });
}

function readPlain(reader: ByteReader, leaf: SchemaLeaf, count: number): Scalar[] {
  switch (leaf.type) {
    case 'BOOLEAN': {
      const bits = reader.take(Math.ceil(count / 8));
      return Array.from({ length: count }, (_, i) => (((bits[i >> 3] ?? 0) >> (i & 7)) & 1) === 1);
    }
    case 'BYTE_ARRAY': {
      // A text has four bytes of length at least, so a damaged count takes no more memory than the page.
      if (count > reader.left / 4) throw damaged(`${count} texts are announced in ${reader.left} bytes`);
      return Array.from({ length: count }, () => textOf(reader.take(reader.uint32()), leaf));
    }
    default: {
      const size = sizeOf(leaf);
      return numbersIn(reader.view(count, size), leaf, count);
    }
  }
}

function sizeOf({ type }: SchemaLeaf): number {
  return type === 'INT32' || type === 'FLOAT' ? 4 : 8;
}

function numbersIn(view: DataView, leaf: SchemaLeaf, count: number): number[] | Scalar[] {
  const { type, meaning } = leaf;
  return Array.from({ length: count }, (_, i) => {
    if (type === 'FLOAT') return view.getFloat32(4 * i, true);
    if (type === 'DOUBLE') return view.getFloat64(8 * i, true);
    if (type === 'INT64') return integerOf(view.getBigInt64(8 * i, true), leaf);
    return meaning === 'unsigned' ? view.getUint32(4 * i, true) : view.getInt32(4 * i, true);
  });
}

/** A number, or its digits where no number holds it exactly. */
function integerOf(value: bigint, { type, meaning }: SchemaLeaf): Scalar {
  const bits = type === 'INT32' ? 32 : 64;
  const exact = meaning === 'unsigned' ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value);
  const number = Number(exact);
  return Number.isSafeInteger(number) ? number : String(exact);
}

/** Lengths first, then all bytes. */
function readTexts(reader: ByteReader, count: number): Uint8Array[] {
  return Array.from(readDeltas(reader, count), (length) => reader.take(Number(length)));
}

/** Each text begins with a part of the one before: its length, then the rest. */
function readPrefixed(reader: ByteReader, leaf: SchemaLeaf, count: number): Scalar[] {
  const prefixes = readDeltas(reader, count);
  let before = new Uint8Array();
  let total = 0;
  return readTexts(reader, count).map((suffix, i) => {
    const prefix = Number(prefixes[i] ?? 0n);
    if (!(prefix >= 0 && prefix <= before.length)) throw damaged('a text begins as no other');
    total += prefix;
    // Each text may repeat the whole of a long one, so a small page could fill any memory.
    if (total > MOST_REPEATED) throw unsupported('so long texts that begin alike');
    const bytes = new Uint8Array(prefix + suffix.length);
    bytes.set(before.subarray(0, prefix));
    bytes.set(suffix, prefix);
    before = bytes;
    return textOf(bytes, leaf);
  });
}

const MOST_REPEATED = 2 ** 28;

/** First bytes of all numbers, then their second ones, and so on. */
function readSplit(reader: ByteReader, leaf: SchemaLeaf, count: number): Scalar[] {
  if (leaf.type === 'BYTE_ARRAY' || leaf.type === 'BOOLEAN') throw damaged('texts are split like numbers');
  const size = sizeOf(leaf);
  const split = reader.take(count * size);
  const bytes = new Uint8Array(split.length);
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < size; k++) bytes[i * size + k] = split[k * count + i] ?? 0;
  }
  return numbersIn(new DataView(bytes.buffer), leaf, count);
}

function textOf(bytes: Uint8Array, { path }: SchemaLeaf): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new ParquetProblem(
      `holds bytes in "${path.join('.')}" that are no UTF-8`,
      'Choose a column of texts',
    );
  }
}
