/*
 * Where the letters of the word that is being read come from: kept only while a text is traced. Every byte of the word has the
 * character of the text that gave it, as Hugging Face's NormalizedString aligns them. That goes by order, not by identity: in a run
 * of combining characters the first one after sorting has the first character of the run, the next one the next.
 */

/** u64 [512]: for each byte of the word, the character's address, and its end's in the upper half. */
const ORIGINS: usize = memory.data(4096);

/** Entries of a run; what a text has beyond them goes by the last one. */
const LONGEST_RUN: u32 = 256;
/** u64 [256]: the characters of the run that is being read, in their order. */
const CHARACTERS: usize = memory.data(2048);
/** u32 [256], by combining class: class << 8 | whether it takes the next character << 4 | bytes of it in the word. */
const RUN: usize = memory.data(1024);
const TAKES: u32 = 16;

let characters: u32 = 0;
let runLength: u32 = 0;
/** The character that is being read. */
let present: u64 = 0;
/** Whether it has given something already: of what it decomposes to, the first part takes it, others share it. */
let isTaken: bool = false;
/** Where the last character of the word ends. */
let lastEnd: usize = 0;

export function beginCharacter(at: usize): void {
  const byte = load<u8>(at);
  const bytes: usize = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
  present = at | ((<u64>at + bytes) << 32);
  isTaken = false;
}

/** A letter of `bytes` bytes lies at the place `at` of the word, after its last run of marks was ended. */
export function originate(at: usize, bytes: usize): void {
  fill(at, at + bytes, present);
  isTaken = true;
}

/** A letter that found no room in the word. */
export function originateBeyond(): void {
  lastEnd = <usize>(present >> 32);
}

/** A mark of `bytes` bytes was put into the word's last run; of an accent that was stripped there are none. */
export function originateMark(combiningClass: u32, bytes: u32): void {
  const takes = isTaken ? 0 : TAKES;
  isTaken = true;
  if (runLength === LONGEST_RUN) return;
  if (takes !== 0) {
    store<u64>(CHARACTERS + ((<usize>characters) << 3), present);
    characters++;
  }
  let at = RUN + ((<usize>runLength) << 2);
  runLength++;
  while (at > RUN && load<u32>(at - 4) >> 8 > combiningClass) {
    store<u32>(at, load<u32>(at - 4));
    at -= 4;
  }
  store<u32>(at, (combiningClass << 8) | takes | bytes);
}

/** Ends the run of marks that lies in the word from `from` up to `end`. */
export function endRun(from: usize, end: usize): void {
  let origin = from > 0 ? originOf(from - 1) : present;
  let at = from;
  let taken: usize = 0;
  for (let i: u32 = 0; i < runLength; i++) {
    const entry = load<u32>(RUN + ((<usize>i) << 2));
    if (entry & TAKES) origin = load<u64>(CHARACTERS + (taken++ << 3));
    const bytes: usize = entry & (TAKES - 1);
    if (bytes > 0) fill(at, at + bytes, origin);
    at += bytes;
  }
  if (at < end) fill(at, end, origin);
  forgetRun();
}

/** What was read since the last letter belongs to no word: accents without a letter. */
export function forgetRun(): void {
  runLength = 0;
  characters = 0;
}

/** Where the character begins that gave the byte at `at` of the word. */
export function originStart(at: usize): usize {
  return <u32>originOf(at);
}

export function originEnd(at: usize): usize {
  return <u32>(originOf(at) >> 32);
}

export function lastOriginEnd(): usize {
  return lastEnd;
}

function originOf(at: usize): u64 {
  return load<u64>(ORIGINS + (at << 3));
}

function fill(from: usize, end: usize, origin: u64): void {
  for (let at = from; at < end; at++) store<u64>(ORIGINS + (at << 3), origin);
  lastEnd = <usize>(origin >> 32);
}
