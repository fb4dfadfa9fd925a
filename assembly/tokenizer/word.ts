import {
  endRun,
  lastOriginEnd,
  originate,
  originateBeyond,
  originateMark,
  originEnd,
  originStart,
} from './origins';
import { emit, outputEnd, setOutputEnd } from './output';
import { isTracing, markSpan } from './spans';
import { CONTINUATION, INITIAL, step, TERMINAL, tokenAt } from './trie';
import { entryOf } from './unicode';
import { decode3, decode4 } from './utf8';

/*
 * The word that is being read, normalised, as UTF-8; when it ends it becomes tokens: WordPiece, longest match first (Wu et al.
 * 2016, section 4.1, as BERT's tokenizer does it).
 */

/** A longer word is one [UNK]: `max_input_chars_per_word`, in code points after normalisation. */
const MAX_CODE_POINTS: u32 = 100;
/** Room for 100 code points and more: from 401 bytes on, the word is too long anyway and what it holds does not matter. */
const WORD_BYTES: usize = 512;
const MAX_STORED: usize = WORD_BYTES - 4;
const WORD: usize = memory.data(512);

/*
 * Most words of a text are short, frequent and one token. Those of up to 8 bytes are remembered, direct-mapped by a hash, as
 * 16 bytes: the word (u64), its token (u32). A hit saves one probe of the trie a byte.
 */
const REMEMBERED_BITS: u64 = 14;
const REMEMBERED: usize = memory.data(262144);
const LONGEST_REMEMBERED: usize = 8;
/** 2⁵³ / golden ratio. */
const GOLDEN: u64 = 0x13c6ef372fe94f;

let length: usize = 0;
let codePoints: u32 = 0;
/** Where the run of marks that ends the word begins; marks in a run are in order of their combining class. */
let marks: usize = 0;
let unknown: u32 = 0;

export function setUnknown(id: u32): void {
  unknown = id;
}

/**
 * Takes letters from `text` through `map` (256 bytes: the letter's byte, or at most `last` for anything else) up to the first
 * byte that is none. Returns where that is.
 */
export function appendRun(text: usize, map: usize, last: u32): usize {
  let at = text;
  let to = length;
  let byte: u32 = load<u8>(map + load<u8>(at));
  do {
    store<u8>(WORD + to, byte);
    to += to < MAX_STORED ? 1 : 0;
    byte = load<u8>(map + load<u8>(++at));
  } while (byte > last);
  codePoints += <u32>(at - text);
  length = to;
  marks = to;
  return at;
}

/** A code point that is not a MARK. */
export function append(codePoint: u32): void {
  codePoints++;
  if (isTracing()) traceLetter(codePoint);
  if (length <= MAX_STORED) length += put(WORD + length, codePoint);
  marks = length;
}

function traceLetter(codePoint: u32): void {
  endRun(marks, length);
  if (length > MAX_STORED) originateBeyond();
  else originate(length, codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4);
}

/** A code point of class MARK: it moves before the marks of higher combining class (NFD, Unicode Standard section 3.11). */
export function appendMark(codePoint: u32, combiningClass: u32): void {
  codePoints++;
  if (length > MAX_STORED) return;
  let at = marks;
  while (at < length) {
    const mark = load<u8>(WORD + at) >= 0xf0 ? decode4(WORD + at) : decode3(WORD + at);
    if (entryOf(mark) >> 8 > combiningClass) break;
    at += mark > 0xffff ? 4 : 3;
  }
  const bytes: usize = codePoint > 0xffff ? 4 : 3;
  memory.copy(WORD + at + bytes, WORD + at, length - at);
  put(WORD + at, codePoint);
  length += bytes;
  if (isTracing()) originateMark(combiningClass, <u32>bytes);
}

/** Ends a run of marks: what follows is not sorted together with what came before. */
export function endMarks(): void {
  if (isTracing()) endRun(marks, length);
  marks = length;
}

/** Ends the word and writes its tokens. */
export function flush(): void {
  if (codePoints === 0) return;
  if (isTracing()) flushTraced();
  else if (codePoints > MAX_CODE_POINTS) emit(unknown);
  else if (length <= LONGEST_REMEMBERED) recall();
  else writeTokens(WORD, WORD + length);
  length = 0;
  codePoints = 0;
  marks = 0;
}

function flushTraced(): void {
  endRun(marks, length);
  if (codePoints > MAX_CODE_POINTS) {
    markSpan(originStart(0), lastOriginEnd());
    emit(unknown);
  } else {
    writeTokens(WORD, WORD + length);
  }
}

/** As `writeTokens`, for a word of 1 to 8 bytes. */
function recall(): void {
  const word = load<u64>(WORD) & (u64.MAX_VALUE >> ((LONGEST_REMEMBERED - length) << 3));
  const slot = REMEMBERED + ((<usize>((word * GOLDEN) >> (64 - REMEMBERED_BITS))) << 4);
  if (load<u64>(slot) === word) {
    emit(load<u32>(slot, 8));
    return;
  }
  const first = outputEnd();
  writeTokens(WORD, WORD + length);
  if (outputEnd() - first === 4) {
    store<u64>(slot, word);
    store<u32>(slot, load<u32>(first), 8);
  }
}

function writeTokens(from: usize, end: usize): void {
  const first = outputEnd();
  let root = INITIAL;
  let at = from;
  do {
    let node = root;
    let token: u32 = 0;
    let tokenEnd: usize = 0;
    const partFrom = at;
    do {
      node = step(node & ~TERMINAL, load<u8>(at));
      if (node === 0) break;
      at++;
      if (node & TERMINAL) {
        token = node & ~TERMINAL;
        tokenEnd = at;
      }
    } while (at < end);
    if (token === 0) {
      // One part without a token makes the whole word unknown.
      setOutputEnd(first);
      if (isTracing()) markSpan(originStart(0), lastOriginEnd());
      emit(unknown);
      return;
    }
    if (isTracing()) markSpan(originStart(partFrom - WORD), originEnd(tokenEnd - 1 - WORD));
    emit(tokenAt(token));
    at = tokenEnd;
    root = CONTINUATION;
  } while (at < end);
}

/** Writes a code point as UTF-8, returns the bytes it took. */
function put(to: usize, codePoint: u32): usize {
  if (codePoint < 0x80) {
    store<u8>(to, codePoint);
    return 1;
  }
  if (codePoint < 0x800) {
    store<u8>(to, 0xc0 | (codePoint >> 6));
    store<u8>(to + 1, 0x80 | (codePoint & 63));
    return 2;
  }
  if (codePoint < 0x10000) {
    store<u8>(to, 0xe0 | (codePoint >> 12));
    store<u8>(to + 1, 0x80 | ((codePoint >> 6) & 63));
    store<u8>(to + 2, 0x80 | (codePoint & 63));
    return 3;
  }
  store<u8>(to, 0xf0 | (codePoint >> 18));
  store<u8>(to + 1, 0x80 | ((codePoint >> 12) & 63));
  store<u8>(to + 2, 0x80 | ((codePoint >> 6) & 63));
  store<u8>(to + 3, 0x80 | (codePoint & 63));
  return 4;
}
