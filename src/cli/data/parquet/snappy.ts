import { ByteReader } from './byte-reader';
import { damaged } from './problem';

/** The most bytes that a byte of a compressed block makes: a copy of 64 takes three. */
const HIGHEST_RATIO = 22;

/**
 * Unpacks a block of Snappy (github.com/google/snappy/blob/main/format_description.txt) that makes `size` bytes.
 */
export function unpackSnappy(block: Uint8Array, size: number): Uint8Array {
  const reader = new ByteReader(block);
  const announced = reader.varint();
  if (announced !== size || size > block.length * HIGHEST_RATIO) {
    throw damaged(`a block of ${block.length} bytes announces ${announced}, its page ${size}`);
  }
  const output = new Uint8Array(size);
  let end = 0;
  while (reader.left > 0) {
    const tag = reader.byte();
    if ((tag & 3) === 0) {
      const literal = reader.take(literalLength(tag >> 2, reader));
      if (literal.length > size - end) throw tooLong();
      output.set(literal, end);
      end += literal.length;
    } else {
      const [length, distance] = copyOf(tag, reader);
      if (distance === 0 || distance > end) throw damaged('a copy begins before its block');
      if (length > size - end) throw tooLong();
      // A copy may read what it has just written: "ab" becomes "ababab".
      if (distance >= length) output.copyWithin(end, end - distance, end - distance + length);
      else for (let i = 0; i < length; i++) output[end + i] = output[end + i - distance] ?? 0;
      end += length;
    }
  }
  if (end !== size) throw damaged(`a block holds ${end} bytes where ${size} are announced`);
  return output;
}

function tooLong() {
  return damaged('a block holds more than it announces');
}

/** From 60 on, the length less one stands in the next one to four bytes. */
function literalLength(length: number, reader: ByteReader): number {
  if (length < 60) return length + 1;
  let value = 0;
  for (let i = 0; i < length - 59; i++) value += reader.byte() * 2 ** (8 * i);
  return value + 1;
}

function copyOf(tag: number, reader: ByteReader): [length: number, distance: number] {
  switch (tag & 3) {
    case 1:
      return [((tag >> 2) & 7) + 4, ((tag >> 5) << 8) + reader.byte()];
    case 2:
      return [(tag >> 2) + 1, reader.byte() + (reader.byte() << 8)];
    default:
      return [(tag >> 2) + 1, reader.uint32()];
  }
}
