import { emitWord } from './byte-pair';
import { classOf, SPACE } from './classes';
import { emit, outputEnd } from './output';
import { ADDED, ADDED_LAST, step, TERMINAL, tokenAt } from './trie';
import { decode2, decode3, decode4 } from './utf8';

/*
 * One text to token ids as byte-level BPE has them (Radford et al. 2019, section 2.2; Hugging Face's ByteLevel): added tokens are
 * taken out, what lies between them is cut into words by GPT-2's pattern, words become tokens in byte-pair.ts.
 */

/** Bits of an added token's id: the blanks before it, or after it, belong to it. */
const LEFT_BLANKS: u32 = 1 << 31;
const RIGHT_BLANKS: u32 = 1 << 30;
const ID: u32 = RIGHT_BLANKS - 1;

/** For each byte: 1 if a token of ADDED begins with it, 2 if one of ADDED_LAST does, or both. */
const BEGINS: usize = memory.data(256);

const BLANK: u32 = 0x20;
const APOSTROPHE: u32 = 0x27;

let addPrefixSpace: bool = false;

/** After the end of the code point that `classAt` has read last. */
let next: usize = 0;

export function initByteLevel(prefixSpace: bool): void {
  addPrefixSpace = prefixSpace;
}

/** From now on, an added token of `root` may begin with `byte`. */
export function expectAddedBytes(root: u32, byte: u32): void {
  store<u8>(BEGINS + byte, load<u8>(BEGINS + byte) | flagOf(root));
}

/**
 * Writes the ids of the text at `text`, which ends before the first byte `terminator`, and returns the address after that byte. Once
 * `stop` is passed, which is an address in the output, the rest of the text is skipped. The byte before the text may be overwritten.
 */
export function encodeBytes(text: usize, stop: usize, terminator: u32): usize {
  let end = text;
  while (load<u8>(end) !== terminator) end++;
  takePieces(text, end, ADDED, stop);
  return end + 1;
}

/** Takes out the added tokens of `root`. Those of ADDED_LAST are looked for in what those of ADDED leave. */
function takePieces(from: usize, end: usize, root: u32, stop: usize): void {
  const flag = flagOf(root);
  let piece = from;
  let at = from;
  while (at < end) {
    if ((load<u8>(BEGINS + load<u8>(at)) & flag) === 0) {
      at++;
      continue;
    }
    const node = longest(at, end, root);
    if (node === 0) {
      at++;
      continue;
    }
    const token = tokenAt(node);
    // The piece before it may hold tokens, too, and move matchEnd.
    const after = matchEnd;
    takePiece(piece, token & LEFT_BLANKS ? blanksBefore(piece, at) : at, root, stop);
    emit(token & ID);
    at = after;
    if (token & RIGHT_BLANKS) at = runEnd(at, end, SPACE);
    piece = at;
    if (outputEnd() > stop) return;
  }
  takePiece(piece, end, root, stop);
}

function takePiece(from: usize, end: usize, root: u32, stop: usize): void {
  if (from === end) return;
  if (root === ADDED) takePieces(from, end, ADDED_LAST, stop);
  else takeWords(from, end, stop);
}

function flagOf(root: u32): u32 {
  return root === ADDED ? 1 : 2;
}

let matchEnd: usize = 0;

/** The trie's node of the longest token of `root` that begins at `at`, 0 if none does; `matchEnd` is where it ends. */
function longest(at: usize, end: usize, root: u32): u32 {
  let node = root;
  let found: u32 = 0;
  while (at < end) {
    const byte = load<u8>(at);
    // The trie keeps ids under the byte 0.
    if (byte === 0) break;
    node = step(node & ~TERMINAL, byte);
    if (node === 0) break;
    at++;
    if (node & TERMINAL) {
      found = node & ~TERMINAL;
      matchEnd = at;
    }
  }
  return found;
}

/** Where the blanks begin that end at `end`, not before `from`. */
function blanksBefore(from: usize, end: usize): usize {
  let at = end;
  while (at > from) {
    const before = startOfLast(at);
    if (classAt(before) !== SPACE) break;
    at = before;
  }
  return at;
}

/**
 * Cuts a piece, not empty, by GPT-2's pattern and writes the words' tokens:
 * `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
 */
function takeWords(from: usize, end: usize, stop: usize): void {
  let at = from;
  if (addPrefixSpace && load<u8>(at) !== BLANK) {
    // What lies before the piece has been read: an added token, another text, or spare room.
    at--;
    store<u8>(at, BLANK);
  }
  while (at < end) {
    if (outputEnd() > stop) return;
    const word = at;
    const byte = load<u8>(at);
    if (byte === APOSTROPHE) {
      at += contraction(at, end);
      if (at > word) {
        emitWord(word, at - word);
        continue;
      }
    }
    let kind = SPACE;
    if (byte === BLANK && at + 1 < end) kind = classAt(at + 1);
    if (kind === SPACE) kind = classAt(at);
    at = runEnd(next, end, kind);
    if (kind === SPACE && at < end) {
      // The last blank of several is left for the next word.
      const last = startOfLast(at);
      if (last > word) at = last;
    }
    emitWord(word, at - word);
  }
}

/** Bytes of the English contraction at the apostrophe `at`; 0 if there is none. */
function contraction(at: usize, end: usize): usize {
  if (at + 1 >= end) return 0;
  const first = load<u8>(at, 1);
  if (first === 0x73 || first === 0x74 || first === 0x6d || first === 0x64) return 2; // s t m d
  if (at + 2 >= end) return 0;
  const both = load<u16>(at, 1);
  return both === 0x6572 || both === 0x6576 || both === 0x6c6c ? 3 : 0; // re ve ll
}

/** The end of the code points of class `kind` that begin at `at`. */
function runEnd(at: usize, end: usize, kind: u32): usize {
  while (at < end) {
    if (classAt(at) !== kind) break;
    at = next;
  }
  return at;
}

/** Where the code point that ends at `end` begins. */
function startOfLast(end: usize): usize {
  let at = end - 1;
  while ((load<u8>(at) & 0xc0) === 0x80) at--;
  return at;
}

function classAt(at: usize): u32 {
  const byte: u32 = load<u8>(at);
  if (byte < 0x80) {
    next = at + 1;
    return classOf(byte);
  }
  if (byte < 0xe0) {
    next = at + 2;
    return classOf(decode2(at));
  }
  if (byte < 0xf0) {
    next = at + 3;
    return classOf(decode3(at));
  }
  next = at + 4;
  return classOf(decode4(at));
}
