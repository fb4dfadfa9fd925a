import { damaged } from './problem';

/** Reads bytes in order, little-endian, and never beyond their end: then it throws what `damaged` makes. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#offset;
  }

  get left(): number {
    return this.#bytes.length - this.#offset;
  }

  byte(): number {
    return this.#bytes[this.#advance(1)] ?? 0;
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** The next `length` bytes, not copied. */
  take(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** As DataViews read them: one after the other, of `size` bytes each. */
  view(count: number, size: number): DataView {
    const bytes = this.take(count * size);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** An unsigned LEB128 of up to 64 bits; from 2⁵³ on it is rounded. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw damaged('a number has more than ten bytes');
  }

  /** A signed number, folded as 0, -1, 1, -2, … */
  zigzag(): number {
    const folded = this.varint();
    return folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
  }

  /** The same with all of its 64 bits. */
  zigzagBigInt(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return (value >> 1n) ^ -(value & 1n);
    }
    throw damaged('a number has more than ten bytes');
  }

  #advance(length: number): number {
    if (!(length >= 0 && length <= this.left)) {
      throw damaged(`${length} bytes are announced where ${this.left} are left`);
    }
    const start = this.#offset;
    this.#offset += length;
    return start;
  }
}
