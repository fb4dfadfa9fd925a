import { levelWidth, readHybrid } from './bits';
import { ByteReader } from './byte-reader';
import { unpack } from './codecs';
import type { ColumnChunk } from './footer';
import { damaged, ParquetProblem, unsupported } from './problem';
import type { SchemaLeaf, SchemaNode } from './schema';
import { readThrift, type ThriftStruct } from './thrift';
import { PLAIN, readValues, type Scalar } from './values';

/** A leaf's entries of one row group, striped as the Dremel paper has it. */
export interface Column {
  /** Of every entry: at which repeated element it goes on; 0 begins a row. */
  readonly repetition: ArrayLike<number>;
  /** Of every entry: how many optional or repeated elements on its path are there. */
  readonly definition: ArrayLike<number>;
  /** Those of entries that are not null. */
  readonly values: readonly Scalar[];
}

/** parquet.thrift: PageType. */
const DATA = 0;
const INDEX = 1;
const DICTIONARY = 2;
const DATA_V2 = 3;
/** Of levels, in pages of the first version. */
const RLE = 3;

/** What may be read of one file, so that a small one cannot fill all memory. */
export class Budget {
  #values = 2 ** 25;
  #bytes = 2 ** 31;

  takeValues(count: number): void {
    this.#values -= count;
    if (this.#values < 0) throw tooMuch('values');
  }

  takeBytes(count: number): void {
    this.#bytes -= count;
    if (this.#bytes < 0) throw tooMuch('bytes');
  }
}

function tooMuch(what: string): ParquetProblem {
  return new ParquetProblem(
    `has more ${what} than can be read at once`,
    'Read fewer rows (--limit), or split it',
  );
}

/** Reads one column chunk: its pages, one behind the other. */
export function readColumn(
  file: Uint8Array,
  chunk: ColumnChunk,
  node: SchemaNode,
  leaf: SchemaLeaf,
  budget: Budget,
): Column {
  budget.takeValues(chunk.values);
  const reader = new ByteReader(file.subarray(chunk.start, chunk.start + chunk.length));
  const repetition = new Uint32Array(chunk.values);
  const definition = new Uint32Array(chunk.values);
  const values: Scalar[] = [];
  let dictionary: Scalar[] | undefined;
  for (let done = 0; done < chunk.values; ) {
    const header = readThrift(reader);
    const size = header.size(2);
    const bytes = reader.take(header.size(3));
    budget.takeBytes(size);
    const type = header.int(1);
    if (type === INDEX) continue;
    if (type === DICTIONARY) {
      dictionary = readDictionary(header.struct(7), unpack(chunk.codec, bytes, size), leaf, budget);
      continue;
    }
    const isV2 = type === DATA_V2;
    if (!isV2 && type !== DATA) throw damaged(`it has a page of the type ${type}`);
    const data = header.struct(isV2 ? 8 : 5);
    const count = data.size(1);
    if (count > chunk.values - done) throw damaged('a page has more values than its column');
    const page = isV2
      ? readPageV2(data, bytes, size, chunk.codec, node, count)
      : readPage(data, unpack(chunk.codec, bytes, size), node, count);
    repetition.set(page.repetition, done);
    definition.set(page.definition, done);
    const present = page.definition.reduce((sum, level) => sum + (level === node.definitionLevel ? 1 : 0), 0);
    for (const value of readValues(page.rest, leaf, page.encoding, present, dictionary)) values.push(value);
    done += count;
  }
  return { repetition, definition, values };
}

function readDictionary(header: ThriftStruct, page: Uint8Array, leaf: SchemaLeaf, budget: Budget): Scalar[] {
  const count = header.size(1);
  budget.takeValues(count);
  return readValues(new ByteReader(page), leaf, PLAIN, count, undefined);
}

interface Page {
  readonly repetition: Uint32Array;
  readonly definition: Uint32Array;
  readonly encoding: number;
  /** Stands where the values begin. */
  readonly rest: ByteReader;
}

/** Levels with their lengths in front, then values, all packed together. */
function readPage(header: ThriftStruct, page: Uint8Array, node: SchemaNode, count: number): Page {
  const rest = new ByteReader(page);
  const levels = (highest: number, encoding: number) => {
    if (highest === 0) return new Uint32Array(count);
    if (encoding !== RLE) throw unsupported('levels in an encoding of old');
    return readLevels(rest.take(rest.uint32()), highest, count);
  };
  const repetition = levels(node.repetitionLevel, header.int(4));
  const definition = levels(node.definitionLevel, header.int(3));
  return { repetition, definition, encoding: header.int(2), rest };
}

/** Levels are not packed, and their lengths stand in the header. */
function readPageV2(
  header: ThriftStruct,
  bytes: Uint8Array,
  size: number,
  codec: number,
  node: SchemaNode,
  count: number,
): Page {
  const reader = new ByteReader(bytes);
  const repetitionBytes = reader.take(header.size(6));
  const definitionBytes = reader.take(header.size(5));
  const rest = reader.take(reader.left);
  const restSize = size - repetitionBytes.length - definitionBytes.length;
  if (restSize < 0) throw damaged('a page is shorter than its levels');
  return {
    repetition: readLevels(repetitionBytes, node.repetitionLevel, count),
    definition: readLevels(definitionBytes, node.definitionLevel, count),
    encoding: header.int(4),
    rest: new ByteReader(header.boolean(7) === false ? rest : unpack(codec, rest, restSize)),
  };
}

function readLevels(bytes: Uint8Array, highest: number, count: number): Uint32Array {
  if (highest === 0) return new Uint32Array(count);
  const levels = readHybrid(new ByteReader(bytes), levelWidth(highest), count);
  if (levels.some((level) => level > highest)) throw damaged('a level is above the highest');
  return levels;
}
