import { beginCharacter, forgetRun, originateMark } from './origins';
import { emit, outputEnd } from './output';
import { isTracing, markSpan } from './spans';
import { ADDED, step, TERMINAL, tokenAt } from './trie';
import {
  ACCENT_STARTER,
  CHINESE,
  entryOf,
  HANGUL,
  LETTER,
  MARK,
  PUNCTUATION,
  SEVERAL,
  SPACE,
  sequenceOf,
} from './unicode';
import { decode2, decode3, decode4 } from './utf8';
import { append, appendMark, appendRun, endMarks, flush } from './word';

/*
 * One text to token ids: BertNormalizer, BertPreTokenizer and WordPiece in one pass over UTF-8. ASCII goes by a table of 256
 * bytes; everything else goes code point by code point through the Unicode tables.
 */

/** For each byte: the letter (a byte) that an ASCII letter or digit becomes, or one of the three below. */
const MAP: usize = memory.data(256);
/** Not decided by the byte alone: beyond ASCII, the start of an added token, a control character. */
const OTHER: u32 = 0;
const BLANK: u32 = 1;
/** Punctuation. */
const POINT: u32 = 2;

/** For each byte: 1 if an added token begins with it. */
const BEGINS_ADDED: usize = memory.data(256);

/** After the Unicode tables are expanded. */
export function initText(): void {
  for (let byte: u32 = 0; byte < 128; byte++) {
    const entry = entryOf(byte);
    const kind = entry & 255;
    let mapped = OTHER;
    if (kind === SPACE) mapped = BLANK;
    else if (kind === PUNCTUATION) mapped = POINT;
    else if (kind === LETTER) mapped = entry >> 8 === 0 ? byte : entry >> 8;
    store<u8>(MAP + byte, mapped);
  }
}

/** From now on, an added token may begin with `byte`. */
export function expectAdded(byte: u32): void {
  store<u8>(MAP + byte, OTHER);
  store<u8>(BEGINS_ADDED + byte, 1);
}

/**
 * Writes the ids of the text at `text`, which ends with a zero byte, and returns the address after that byte. Once `stop` is
 * passed, which is an address in the output, the rest of the text is skipped.
 */
export function encodeText(text: usize, stop: usize): usize {
  let at = text;
  while (true) {
    const byte: u32 = load<u8>(at);
    const mapped: u32 = load<u8>(MAP + byte);
    if (mapped > POINT) {
      at = appendRun(at, MAP, POINT);
      continue;
    }
    if (mapped === OTHER) {
      if (byte === 0) break;
      at = takeOther(at, byte);
    } else {
      flush();
      if (mapped === POINT) {
        append(byte);
        flush();
      }
      at++;
    }
    if (outputEnd() > stop) {
      while (load<u8>(at) !== 0) at++;
      break;
    }
  }
  flush();
  return at + 1;
}

/**
 * As `encodeText`, and writes each token's span. It goes code point by code point: what the fast path saves is what says where
 * a letter came from.
 */
export function traceText(text: usize): void {
  let at = text;
  while (true) {
    const byte: u32 = load<u8>(at);
    if (byte === 0) break;
    beginCharacter(at);
    at = takeOther(at, byte);
  }
  flush();
  forgetRun();
}

function takeOther(at: usize, byte: u32): usize {
  if (load<u8>(BEGINS_ADDED + byte)) {
    const after = takeAdded(at);
    if (after !== at) return after;
  }
  if (byte < 0x80) {
    take(byte, entryOf(byte));
    return at + 1;
  }
  if (byte < 0xe0) {
    const codePoint = decode2(at);
    take(codePoint, entryOf(codePoint));
    return at + 2;
  }
  if (byte < 0xf0) {
    const codePoint = decode3(at);
    take(codePoint, entryOf(codePoint));
    return at + 3;
  }
  const codePoint = decode4(at);
  take(codePoint, entryOf(codePoint));
  return at + 4;
}

/** The longest added token that begins here; returns `at` if there is none. */
function takeAdded(at: usize): usize {
  let node = ADDED;
  let token: u32 = 0;
  let tokenEnd = at;
  for (let end = at; load<u8>(end) !== 0; ) {
    node = step(node & ~TERMINAL, load<u8>(end));
    if (node === 0) break;
    end++;
    if (node & TERMINAL) {
      token = node & ~TERMINAL;
      tokenEnd = end;
    }
  }
  if (token !== 0) {
    flush();
    if (isTracing()) {
      forgetRun();
      markSpan(at, tokenEnd);
    }
    emit(tokenAt(token));
  }
  return tokenEnd;
}

function take(codePoint: u32, entry: u32): void {
  const kind = entry & 255;
  const target = entry >> 8;
  if (kind === LETTER) {
    append(target === 0 ? codePoint : target);
  } else if (kind === CHINESE || kind === PUNCTUATION) {
    flush();
    append(target === 0 ? codePoint : target);
    flush();
  } else if (kind === SPACE) {
    flush();
    if (isTracing()) forgetRun();
  } else if (kind === MARK) {
    appendMark(codePoint, target);
  } else if (kind === ACCENT_STARTER) {
    endMarks();
  } else if (kind === SEVERAL) {
    const sequence = sequenceOf(entry);
    const count = load<u32>(sequence);
    for (let i: u32 = 1; i <= count; i++) {
      const part = load<u32>(sequence + (i << 2));
      take(part, entryOf(part));
    }
  } else if (kind === HANGUL) {
    takeHangul(codePoint - 0xac00);
  } else if (isTracing()) {
    // What is left is DROPPED: an accent has a combining class.
    if (target !== 0) originateMark(target, 0);
  }
}

/** A Hangul syllable is two or three jamo: Unicode Standard, section 3.12. */
function takeHangul(index: u32): void {
  append(0x1100 + index / 588);
  append(0x1161 + (index % 588) / 28);
  if (index % 28 !== 0) append(0x11a7 + (index % 28));
}
