import { readFrom, readNumber, readSigned } from './leb128';
import { UNICODE_DATA } from './unicode-data';

/*
 * What the tokenizer does with each code point, as a two-stage table made for one tokenizer's options: page table → page of 256
 * entries. Pages that hold one class throughout are shared, so a table is about 300 KB of memory from under 8 KB of data.
 *
 * An entry is `target << 8 | class`. For letters, punctuation and Chinese the target is the code point that takes this one's
 * place (lower case, without accents), 0 where it stays as it is.
 */

export const LETTER: u32 = 0;
/** Control characters, U+FFFD and, where accents are stripped, accents: of these the target is the combining class. */
export const DROPPED: u32 = 1;
export const SPACE: u32 = 2;
/** A word of its own. */
export const PUNCTUATION: u32 = 3;
/** A word of its own: `handle_chinese_chars`. */
export const CHINESE: u32 = 4;
/** In the data only: an accent, which becomes DROPPED, or a LETTER where accents stay. */
const ACCENT: u32 = 5;
/** An accent of combining class 0: dropped, but marks before it and after it are not put in order together. */
export const ACCENT_STARTER: u32 = 6;
/** Combining, yet not stripped: NFD sorts neighbours of this kind by combining class, which is the target. */
export const MARK: u32 = 7;
/** Becomes several code points: the target is the place of a `[count, x, y, z]` in the sequences. */
export const SEVERAL: u32 = 8;
/** A Hangul syllable, to be decomposed by arithmetic. */
export const HANGUL: u32 = 9;

const CLASSES: usize = 10;
const PAGE_BYTES: usize = 256 * 4;
const PAGES: u32 = 0x110000 >> 8;
const SEQUENCE_BYTES: usize = 16;
const CAPITAL_I_WITH_DOT: u32 = 0x130;

let pages: usize = 0;
/** One page for each class, then the pages that are not uniform. */
let uniform: usize = 0;
let sequences: usize = 0;
let sequenceCount: u32 = 0;

/** The entry of a code point, at most 0x10FFFF. */
export function entryOf(codePoint: u32): u32 {
  return load<u32>(load<u32>(pages + ((codePoint >> 8) << 2)) + ((codePoint & 255) << 2));
}

/** Address of the u32 `[count, x, y, z]` that an entry of class SEVERAL names. */
export function sequenceOf(entry: u32): usize {
  return sequences + <usize>(entry >> 8) * SEQUENCE_BYTES;
}

/** Expands the tables, once, before anything else here is called. */
export function expandUnicode(lowercase: bool, stripAccents: bool, chinese: bool): void {
  pages = heap.alloc(PAGES << 2);
  uniform = heap.alloc(CLASSES * PAGE_BYTES);
  for (let k: usize = 0; k < CLASSES; k++) {
    for (let i: usize = 0; i < 256; i++) store<u32>(uniform + k * PAGE_BYTES + (i << 2), <u32>k);
  }
  for (let page: u32 = 0; page < PAGES; page++) store<u32>(pages + (page << 2), <u32>uniform);

  readFrom(UNICODE_DATA);
  for (let k = DROPPED; k <= MARK; k++) {
    let kind = k;
    if (k === CHINESE && !chinese) kind = LETTER;
    if (k === ACCENT) kind = stripAccents ? DROPPED : LETTER;
    if (k >= ACCENT_STARTER && !stripAccents) kind = LETTER;
    readRanges(kind);
  }
  readLower(lowercase);
  readFolds(stripAccents, lowercase);
}

function setEntry(codePoint: u32, entry: u32): void {
  const slot = pages + ((codePoint >> 8) << 2);
  let page: usize = load<u32>(slot);
  if (page < uniform + CLASSES * PAGE_BYTES) {
    const own = heap.alloc(PAGE_BYTES);
    memory.copy(own, page, PAGE_BYTES);
    store<u32>(slot, <u32>own);
    page = own;
  }
  store<u32>(page + ((codePoint & 255) << 2), entry);
}

function readRanges(kind: u32): void {
  let codePoint: u32 = 0;
  for (let left = readNumber(); left > 0; left--) {
    codePoint += readNumber();
    const end = codePoint + readNumber();
    while (codePoint < end) {
      const slot = pages + ((codePoint >> 8) << 2);
      if ((codePoint & 255) === 0 && end - codePoint >= 256 && load<u32>(slot) === <u32>uniform) {
        store<u32>(slot, <u32>(uniform + <usize>kind * PAGE_BYTES));
        codePoint += 256;
      } else {
        if (kind !== LETTER) setEntry(codePoint, kind);
        codePoint++;
      }
    }
  }
}

function readLower(lowercase: bool): void {
  let codePoint: u32 = 0;
  for (let left = readNumber(); left > 0; left--) {
    codePoint += readNumber();
    const count = readNumber();
    const stride = readNumber();
    const delta = readSigned();
    for (let i: u32 = 0; i < count; i++) {
      if (i > 0) codePoint += stride;
      if (lowercase) setEntry(codePoint, ((codePoint + <u32>delta) << 8) | LETTER);
    }
  }
}

/** Decompositions without the accents that are stripped; they come after lower-casing so that targets are in lower case. */
function readFolds(stripAccents: bool, lowercase: bool): void {
  let codePoint: u32 = 0;
  let target: u32 = 0;
  for (let left = readNumber(); left > 0; left--) {
    codePoint += readNumber();
    target += <u32>readSigned();
    if (!stripAccents) continue;
    const entry = entryOf(target);
    const final = entry >> 8 === 0 ? target : entry >> 8;
    // A Chinese compatibility character is set apart before it is decomposed.
    const kind = (entryOf(codePoint) & 255) === CHINESE ? CHINESE : entry & 255;
    setEntry(codePoint, (final << 8) | kind);
  }

  const count = readNumber();
  sequences = heap.alloc((<usize>count + 1) * SEQUENCE_BYTES);
  sequenceCount = 0;
  codePoint = 0;
  for (let left = count; left > 0; left--) {
    codePoint += readNumber();
    const length = readNumber();
    const sequence = sequences + <usize>sequenceCount * SEQUENCE_BYTES;
    store<u32>(sequence, length);
    for (let i: u32 = 1; i <= length; i++) store<u32>(sequence + (i << 2), codePoint + <u32>readSigned());
    if (stripAccents) setEntry(codePoint, (sequenceCount++ << 8) | SEVERAL);
  }

  codePoint = 0;
  for (let left = readNumber(); left > 0; left--) {
    codePoint += readNumber();
    const combiningClass = readNumber();
    if (stripAccents) setEntry(codePoint, (combiningClass << 8) | MARK);
  }

  codePoint = 0;
  for (let left = readNumber(); left > 0; left--) {
    codePoint += readNumber();
    const end = codePoint + readNumber();
    const combiningClass = readNumber();
    for (; codePoint < end; codePoint++) {
      if (stripAccents) setEntry(codePoint, (combiningClass << 8) | DROPPED);
    }
  }

  if (stripAccents) {
    for (let syllable: u32 = 0xac00; syllable < 0xd7a4; syllable++) setEntry(syllable, HANGUL);
  } else if (lowercase) {
    // The only capital whose small letter is two code points: i and U+0307, combining dot above.
    const sequence = sequences + <usize>sequenceCount * SEQUENCE_BYTES;
    store<u32>(sequence, 2);
    store<u32>(sequence + 4, 0x69);
    store<u32>(sequence + 8, 0x307);
    setEntry(CAPITAL_I_WITH_DOT, (sequenceCount << 8) | SEVERAL);
  }
}
