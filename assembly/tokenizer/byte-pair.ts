import { initMerges, NO_MERGE, rankOf, resultOf } from './merges';
import { emit, outputEnd, setOutputEnd } from './output';

/*
 * One word to tokens: byte-pair encoding (Sennrich et al. 2016, section 3.2) over bytes. Of all neighbours that may be merged those
 * of the lowest rank are, the leftmost first, until none may.
 */

/** u32 [256]: the token of each byte. */
const BYTES: usize = memory.data(1024);

/*
 * Words repeat. Those of up to 16 bytes that become up to three tokens are remembered, direct-mapped by a hash, in 32 bytes: the
 * word (two u64, filled up with zeros), its length and the number of tokens (a byte each), the tokens.
 */
const REMEMBERED_BITS: u64 = 14;
const LONGEST_REMEMBERED: usize = 16;
const MOST_REMEMBERED: usize = 3;
/** 2⁵³ / golden ratio, and 2⁵² · √2. */
const GOLDEN: u64 = 0x13c6ef372fe94f;
const MIX: u64 = 0x16a09e667f3bcd;

/** Up to here looking at every pair for each merge is faster than a heap. */
const SHORT: usize = 64;
/** u64 [64]: a token below, the rank of its merge with the next one above. */
const PARTS: usize = memory.data(512);

let remembered: usize = 0;

/** Once: the u32 [256] at `bytes`, and `count` merges behind them as `initMerges` takes them. */
export function initBytePair(bytes: usize, count: u32): void {
  memory.copy(BYTES, bytes, 1024);
  initMerges(bytes + 1024, count);
  const size = (<usize>32) << (<usize>REMEMBERED_BITS);
  remembered = heap.alloc(size);
  memory.fill(remembered, 0, size);
}

/**
 * Writes the tokens of the word of `length` ≥ 1 bytes. Up to 15 bytes behind it are read and 8 behind the output written: the caller
 * has room for that.
 */
export function emitWord(word: usize, length: usize): void {
  if (length > LONGEST_REMEMBERED) {
    merge(word, length);
    return;
  }
  let low = load<u64>(word);
  let high: u64 = 0;
  if (length <= 8) low &= u64.MAX_VALUE >> ((8 - length) << 3);
  else high = load<u64>(word, 8) & (u64.MAX_VALUE >> ((16 - length) << 3));
  const hash = (low ^ (high * MIX)) * GOLDEN;
  const slot = remembered + ((<usize>(hash >> (64 - REMEMBERED_BITS))) << 5);
  const about = load<u32>(slot, 16);
  const out = outputEnd();
  // Empty slots have the length 0. A zero byte of the word is not told from filling by anything but the length.
  if (load<u64>(slot) === low && load<u64>(slot, 8) === high && (about & 255) === length) {
    store<u64>(out, load<u64>(slot, 20));
    store<u32>(out, load<u32>(slot, 28), 8);
    setOutputEnd(out + ((<usize>(about >> 8)) << 2));
    return;
  }
  merge(word, length);
  const count = (outputEnd() - out) >> 2;
  if (count > MOST_REMEMBERED) return;
  store<u64>(slot, low);
  store<u64>(slot, high, 8);
  store<u32>(slot, <u32>length | ((<u32>count) << 8), 16);
  for (let i: usize = 0; i < count; i++) store<u32>(slot + (i << 2), load<u32>(out + (i << 2)), 20);
}

function merge(word: usize, length: usize): void {
  if (length <= SHORT) mergeShort(word, length);
  else mergeLong(word, length);
}

function tokenOf(byte: u32): u32 {
  return load<u32>(BYTES + ((<usize>byte) << 2));
}

function rankOfParts(left: u64, right: u64): u64 {
  return (<u64>rankOf(<u32>left, <u32>right)) << 32;
}

function mergeShort(word: usize, length: usize): void {
  let last = PARTS + ((length - 1) << 3);
  store<u64>(last, ((<u64>NO_MERGE) << 32) | tokenOf(load<u8>(word + length - 1)));
  for (let part = last; part > PARTS; ) {
    part -= 8;
    const token: u64 = tokenOf(load<u8>(word + ((part - PARTS) >> 3)));
    store<u64>(part, rankOfParts(token, load<u64>(part, 8)) | token);
  }
  while (true) {
    let lowest: u32 = NO_MERGE;
    let at: usize = 0;
    for (let part = PARTS; part < last; part += 8) {
      const rank = load<u32>(part, 4);
      if (rank < lowest) {
        lowest = rank;
        at = part;
      }
    }
    if (lowest === NO_MERGE) break;
    // What follows the right part closes up.
    for (let part = at + 8; part < last; part += 8) store<u64>(part, load<u64>(part, 8));
    last -= 8;
    const token: u64 = resultOf(lowest);
    const rank = at < last ? rankOfParts(token, load<u64>(at, 8)) : (<u64>NO_MERGE) << 32;
    store<u64>(at, rank | token);
    if (at > PARTS) {
      const left: u64 = load<u32>(at - 8);
      store<u64>(at - 8, rankOfParts(left, token) | left);
    }
  }
  for (let part = PARTS; part <= last; part += 8) emit(load<u32>(part));
}

/*
 * Long words, such as a line without blanks or a megabyte of one letter: a doubly linked list of parts and a heap of the pairs that
 * may be merged, n log n in all.
 */

/** A link that leads nowhere. */
const NONE: u32 = u32.MAX_VALUE;

/** u64 [2n]: a binary heap of `rank << 32 | left part`. Pairs that are no more stay in it until they come up. */
let heapBase: usize = 0;
let heapSize: usize = 0;
/** Each u32 [n], by the place of a part's first byte. */
let tokens: usize = 0;
let ranks: usize = 0;
let nexts: usize = 0;
let previouses: usize = 0;
/** Bytes that lie at heapBase. */
let longRoom: usize = 0;

function mergeLong(word: usize, length: usize): void {
  layOut(length);
  heapSize = 0;
  for (let i: usize = 0; i < length; i++) {
    const at = i << 2;
    store<u32>(tokens + at, tokenOf(load<u8>(word + i)));
    store<u32>(nexts + at, i + 1 < length ? <u32>i + 1 : NONE);
    store<u32>(previouses + at, i > 0 ? <u32>i - 1 : NONE);
  }
  for (let i: usize = 0; i < length; i++) rank(<u32>i);
  while (heapSize > 0) {
    const top = pop();
    const part = <u32>top;
    const found = <u32>(top >> 32);
    const at = (<usize>part) << 2;
    // Not this pair any more: one of the two has been merged meanwhile. A pair never comes back, for parts only grow.
    if (load<u32>(ranks + at) !== found) continue;
    const right = (<usize>load<u32>(nexts + at)) << 2;
    const after = load<u32>(nexts + right);
    store<u32>(tokens + at, resultOf(found));
    store<u32>(ranks + right, NO_MERGE);
    store<u32>(nexts + at, after);
    if (after !== NONE) store<u32>(previouses + ((<usize>after) << 2), part);
    rank(part);
    const before = load<u32>(previouses + at);
    if (before !== NONE) rank(before);
  }
  for (let part: u32 = 0; part !== NONE; ) {
    const at = (<usize>part) << 2;
    emit(load<u32>(tokens + at));
    part = load<u32>(nexts + at);
  }
}

function layOut(length: usize): void {
  const bytes = length << 5;
  if (bytes > longRoom) {
    // Growing by at least double, since what is left behind is never used again.
    longRoom = max(bytes, longRoom << 1);
    heapBase = heapBase === 0 ? heap.alloc(longRoom) : heap.realloc(heapBase, longRoom);
  }
  tokens = heapBase + (length << 4);
  ranks = tokens + (length << 2);
  nexts = ranks + (length << 2);
  previouses = nexts + (length << 2);
}

/** Ranks the pair of which `part` is the left one, and puts it into the heap where it may be merged. */
function rank(part: u32): void {
  const at = (<usize>part) << 2;
  const next = load<u32>(nexts + at);
  const found =
    next === NONE ? NO_MERGE : rankOf(load<u32>(tokens + at), load<u32>(tokens + ((<usize>next) << 2)));
  store<u32>(ranks + at, found);
  if (found !== NO_MERGE) push(((<u64>found) << 32) | part);
}

function push(entry: u64): void {
  let at = heapSize++;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = load<u64>(heapBase + (parent << 3));
    if (above <= entry) break;
    store<u64>(heapBase + (at << 3), above);
    at = parent;
  }
  store<u64>(heapBase + (at << 3), entry);
}

function pop(): u64 {
  const top = load<u64>(heapBase);
  const entry = load<u64>(heapBase + (--heapSize << 3));
  let at: usize = 0;
  while (true) {
    let child: usize = 2 * at + 1;
    if (child >= heapSize) break;
    let below = load<u64>(heapBase + (child << 3));
    if (child + 1 < heapSize) {
      const other = load<u64>(heapBase + (child << 3), 8);
      if (other < below) {
        below = other;
        child++;
      }
    }
    if (entry <= below) break;
    store<u64>(heapBase + (at << 3), below);
    at = child;
  }
  store<u64>(heapBase + (at << 3), entry);
  return top;
}
