/**
 * Thrift's compact protocol, in which Parquet's footers and page headers are written
 * (github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).
 */
import type { ByteReader } from './byte-reader';
import { damaged } from './problem';

export type ThriftValue = number | boolean | Uint8Array | readonly ThriftValue[] | ThriftStruct;

const TRUE = 1;
const FALSE = 2;
const BYTE = 3;
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
const SET = 10;
const STRUCT = 12;

/** Parquet nests some six structs. */
const DEEPEST = 16;
/** A footer has some 40 values a column and row group: this is one of 100,000 of them. It bounds memory. */
const MOST_VALUES = 4_000_000;

const decoder = new TextDecoder('utf-8');

/** A struct's fields by their ids; each getter throws where a field is not as it must be. */
export class ThriftStruct {
  readonly #fields = new Map<number, ThriftValue>();

  set(id: number, value: ThriftValue): void {
    this.#fields.set(id, value);
  }

  has(id: number): boolean {
    return this.#fields.has(id);
  }

  /** A whole number; undefined where the field is absent. */
  optionalInt(id: number): number | undefined {
    const value = this.#fields.get(id);
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw damaged(`field ${id} is no number`);
    return value;
  }

  int(id: number): number {
    return this.optionalInt(id) ?? missing(id);
  }

  /** A whole number that is not negative: a size, a count, an offset. */
  size(id: number): number {
    const value = this.int(id);
    if (value < 0) throw damaged(`field ${id} is ${value}`);
    return value;
  }

  boolean(id: number): boolean | undefined {
    const value = this.#fields.get(id);
    return typeof value === 'boolean' ? value : undefined;
  }

  text(id: number): string | undefined {
    const value = this.#fields.get(id);
    return value instanceof Uint8Array ? decoder.decode(value) : undefined;
  }

  optionalStruct(id: number): ThriftStruct | undefined {
    const value = this.#fields.get(id);
    return value instanceof ThriftStruct ? value : undefined;
  }

  struct(id: number): ThriftStruct {
    return this.optionalStruct(id) ?? missing(id);
  }

  /** A list of structs; empty where the field is absent. */
  structs(id: number): ThriftStruct[] {
    return this.#list(id).map((item) => (item instanceof ThriftStruct ? item : missing(id)));
  }

  /** A list of texts; empty where the field is absent. */
  texts(id: number): string[] {
    return this.#list(id).map((item) => (item instanceof Uint8Array ? decoder.decode(item) : missing(id)));
  }

  #list(id: number): readonly ThriftValue[] {
    const value = this.#fields.get(id);
    return Array.isArray(value) ? value : [];
  }
}

function missing(id: number): never {
  throw damaged(`field ${id} is missing or no such value`);
}

/** Reads one struct, from where `reader` stands. */
export function readThrift(reader: ByteReader): ThriftStruct {
  let left = MOST_VALUES;

  function readStruct(depth: number): ThriftStruct {
    if (depth > DEEPEST) throw damaged('it nests too deeply');
    const struct = new ThriftStruct();
    let id = 0;
    for (;;) {
      const header = reader.byte();
      const type = header & 0x0f;
      if (type === 0) return struct;
      const step = header >> 4;
      id = step === 0 ? reader.zigzag() : id + step;
      struct.set(id, type === TRUE || type === FALSE ? type === TRUE : readValue(type, depth));
    }
  }

  function readValue(type: number, depth: number): ThriftValue {
    if (left-- === 0) throw damaged('it has too many values');
    switch (type) {
      // Inside a list a truth value is a byte of its own.
      case TRUE:
      case FALSE:
        return reader.byte() === TRUE;
      case BYTE:
        return (reader.byte() << 24) >> 24;
      case 4:
      case 5:
      case 6:
        return reader.zigzag();
      case DOUBLE:
        return reader.view(1, 8).getFloat64(0, true);
      case BINARY:
        return reader.take(reader.varint());
      case LIST:
      case SET:
        return readList(depth);
      case STRUCT:
        return readStruct(depth + 1);
      default:
        throw damaged(`there is no type ${type}`);
    }
  }

  function readList(depth: number): ThriftValue[] {
    if (depth > DEEPEST) throw damaged('it nests too deeply');
    const header = reader.byte();
    const short = header >> 4;
    const size = short === 15 ? reader.varint() : short;
    // An item has a byte or more.
    if (size > reader.left) throw damaged(`a list of ${size} items is announced in ${reader.left} bytes`);
    return Array.from({ length: size }, () => readValue(header & 0x0f, depth + 1));
  }

  return readStruct(0);
}
