import type { ByteReader } from './byte-reader';
import { damaged } from './problem';

/**
 * Parquet's hybrid of run lengths and packed bits (parquet-format, Encodings.md, "RLE"): `count` numbers of `width` bits. Runs that
 * go beyond `count` are cut off: packed ones hold multiples of eight.
 */
export function readHybrid(reader: ByteReader, width: number, count: number): Uint32Array {
  if (width > 32) throw damaged(`numbers of ${width} bits are announced`);
  const output = new Uint32Array(count);
  let done = 0;
  while (done < count) {
    const header = reader.varint();
    const isPacked = header % 2 === 1;
    if (isPacked) {
      const groups = (header - 1) / 2;
      const bytes = reader.take(Math.min(groups * width, reader.left));
      const length = Math.min(groups * 8, count - done);
      if (bytes.length * 8 < length * width) throw damaged('packed numbers are cut off');
      unpackBits(bytes, width, output.subarray(done, done + length));
      done += length;
    } else {
      const length = Math.min(header / 2, count - done);
      let value = 0;
      for (let i = 0; i < Math.ceil(width / 8); i++) value += reader.byte() * 2 ** (8 * i);
      output.fill(value, done, done + length);
      done += length;
    }
  }
  return output;
}

/** Numbers of `width` bits, up to 32, the lowest bits first. */
function unpackBits(bytes: Uint8Array, width: number, output: Uint32Array): void {
  for (let i = 0, position = 0; i < output.length; i++, position += width) {
    let value = 0;
    // Not by shifts: a number of 32 bits may lie in five bytes.
    for (let done = 0; done < width; ) {
      const bit = (position + done) & 7;
      const taken = Math.min(8 - bit, width - done);
      const part = ((bytes[(position + done) >> 3] ?? 0) >> bit) & ((1 << taken) - 1);
      value += part * 2 ** done;
      done += taken;
    }
    output[i] = value;
  }
}

/** How many bits a level of up to `highest` takes. */
export function levelWidth(highest: number): number {
  return 32 - Math.clz32(highest);
}

/**
 * Whole numbers as differences in blocks of packed bits (Encodings.md, "Delta encoding"): `count` of them. Sums wrap at 64 bits, as
 * the format has it.
 */
export function readDeltas(reader: ByteReader, count: number): BigInt64Array {
  const blockSize = reader.varint();
  const miniblocks = reader.varint();
  const total = reader.varint();
  const perMiniblock = blockSize / miniblocks;
  const isSound = total === count && blockSize > 0 && perMiniblock % 8 === 0 && miniblocks <= reader.left;
  if (!isSound)
    throw damaged(`${total} differences in blocks of ${blockSize} are announced, ${count} are due`);
  const output = new BigInt64Array(count);
  let value = reader.zigzagBigInt();
  let done = 0;
  if (count > 0) output[done++] = value;
  while (done < count) {
    const least = reader.zigzagBigInt();
    const widths = reader.take(miniblocks);
    for (const width of widths) {
      if (done >= count) break;
      if (width > 64) throw damaged(`differences of ${width} bits are announced`);
      const bytes = reader.take((perMiniblock * width) / 8);
      const length = Math.min(perMiniblock, count - done);
      for (let i = 0; i < length; i++) {
        value = BigInt.asIntN(64, value + least + bitsAt(bytes, i * width, width));
        output[done++] = value;
      }
    }
  }
  return output;
}

function bitsAt(bytes: Uint8Array, position: number, width: number): bigint {
  let value = 0n;
  for (let done = 0; done < width; ) {
    const bit = (position + done) & 7;
    const taken = Math.min(8 - bit, width - done);
    const part = ((bytes[(position + done) >> 3] ?? 0) >> bit) & ((1 << taken) - 1);
    value |= BigInt(part) << BigInt(done);
    done += taken;
  }
  return value;
}
