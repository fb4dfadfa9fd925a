import { CLASS_DATA } from './class-data';
import { readFrom, readNumber } from './leb128';

/*
 * What GPT-2's pattern asks of a code point: \p{L}, \p{N}, \s, or none of them. A byte for each: 1.1 MB of addresses, of which
 * a text touches a few pages.
 */

/** None of those below. */
export const OTHER: u32 = 0;
export const LETTER: u32 = 1;
export const NUMBER: u32 = 2;
export const SPACE: u32 = 3;

let classes: usize = 0;

/** Once, before anything else here is called. */
export function expandClasses(): void {
  classes = heap.alloc(0x110000);
  memory.fill(classes, <u8>OTHER, 0x110000);
  readFrom(CLASS_DATA);
  for (let kind = LETTER; kind <= SPACE; kind++) {
    let codePoint: usize = 0;
    for (let left = readNumber(); left > 0; left--) {
      codePoint += readNumber();
      const length: usize = readNumber();
      memory.fill(classes + codePoint, <u8>kind, length);
      codePoint += length;
    }
  }
}

/** Of a code point, at most 0x10FFFF. */
export function classOf(codePoint: u32): u32 {
  return load<u8>(classes + codePoint);
}
