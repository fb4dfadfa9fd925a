import { encodeBytes, expectAddedBytes, initByteLevel } from './byte-level';
import { initBytePair } from './byte-pair';
import { expandClasses } from './classes';
import { emit, outputEnd, setOutputEnd } from './output';
import { beginTrace, endTrace } from './spans';
import { encodeText, expectAdded, initText, traceText } from './text';
import { ADDED, ADDED_LAST, CONTINUATION, INITIAL, initTrie, insertToken } from './trie';
import { expandUnicode } from './unicode';
import { setUnknown } from './word';

/*
 * What src/tokenizer calls. One instance of the module holds one tokenizer: WordPiece or byte-level BPE. Texts and tokens come in as
 * UTF-8, each followed by a zero byte (a text holds none: the caller sees to it).
 */

/** Before the input and behind it: for a prefix space, and for words that are read as 16 bytes whatever their length. */
const MARGIN: usize = 16;

let input: usize = 0;
let inputBytes: usize = 0;
let output: usize = 0;
let outputBytes: usize = 0;

/** Byte-level BPE, not WordPiece. */
let byteLevel: bool = false;
let cls: u32 = 0;
let sep: u32 = 0;
/** How many `sep` stand between the texts of a pair. */
let separators: usize = 1;

let offsets: usize = 0;
let secondStarts: usize = 0;
let ids: usize = 0;
let truncated: i32 = 0;
let spans: usize = 0;

/** Address for `bytes` bytes of input. What lay there before is lost. */
export function tokenizer_input(bytes: usize): usize {
  if (bytes > inputBytes) {
    inputBytes = bytes;
    const room = inputBytes + 2 * MARGIN;
    input = (input === 0 ? heap.alloc(room) : heap.realloc(input - MARGIN, room)) + MARGIN;
  }
  return input;
}

/** Once, first of all, for WordPiece. `unknown`, `cls`, `sep` are ids. */
export function tokenizer_init(
  lowercase: bool,
  stripAccents: bool,
  chinese: bool,
  unknown: u32,
  clsId: u32,
  sepId: u32,
): void {
  expandUnicode(lowercase, stripAccents, chinese);
  initText();
  initTrie();
  setUnknown(unknown);
  cls = clsId;
  sep = sepId;
}

/**
 * Once, first of all, for byte-level BPE. The input holds the tokens of the 256 bytes, u32 [256], and `merges` merges, u32
 * [merges, 3]: left, right and resulting id, in the order of their ranks.
 */
export function tokenizer_init_bytes(merges: u32, addPrefixSpace: bool, clsId: u32, sepId: u32): void {
  byteLevel = true;
  separators = 2;
  expandClasses();
  initBytePair(input, merges);
  initByteLevel(addPrefixSpace);
  initTrie();
  cls = clsId;
  sep = sepId;
}

/**
 * Takes the `count` tokens in the input as the vocabulary, ids from 0; an empty one keeps its id and is never matched.
 * Returns how many were taken: fewer than `count` if the rest found no room.
 */
export function tokenizer_vocabulary(count: u32): u32 {
  let token = input;
  for (let id: u32 = 0; id < count; id++) {
    let end = token;
    while (load<u8>(end) !== 0) end++;
    const continues = end - token >= 2 && load<u16>(token) === 0x2323; // ##
    const start = continues ? token + 2 : token;
    if (end > start && !insertToken(continues ? CONTINUATION : INITIAL, start, end - start, id)) return id;
    token = end + 1;
  }
  return count;
}

/**
 * Has the token in the input (one, not empty) matched in raw text, as `id`. For byte-level BPE the highest bit of `id` says that blanks
 * before the token belong to it, the next one the same of blanks after it; a `last` one is looked for in what the others leave.
 * False if there is no room.
 */
export function tokenizer_added(bytes: u32, id: u32, last: bool): bool {
  const root = last ? ADDED_LAST : ADDED;
  const first = load<u8>(input);
  if (byteLevel) expectAddedBytes(root, first);
  else expectAdded(first);
  return insertToken(root, input, bytes, id);
}

/**
 * Encodes the `count` texts, or with `pairs` the `count` pairs (first, second, first, …), in the `bytes` bytes of input, each
 * to at most `maxLength` ids. Returns the ids in all; -1 if there are more texts in the input than that. In byte-level BPE the byte
 * `terminator` ends each text: 0, or 0xFF where a text holds zero bytes.
 *
 * `tokenizer_offsets`: u32 [count + 1], where each sequence begins in `tokenizer_ids`: u32; `tokenizer_second_starts`:
 * u32 [count], where the second text begins (the sequence's end without pairs). They hold until the next call of anything here.
 */
export function tokenizer_encode(bytes: u32, count: u32, pairs: bool, maxLength: u32, terminator: u32): i32 {
  const end = input + bytes;
  // No text has more tokens than bytes (generate.py checks the expansions); but before a byte between two added tokens a prefix
  // space may come.
  const most: usize = byteLevel ? 2 * bytes : bytes;
  allocateOutput(count, <u32>most + 4 * count);

  const room: usize = <usize>maxLength - (pairs ? 2 + separators : 2);
  let text = input;
  let to = ids;
  truncated = 0;
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(offsets + (i << 2), <u32>((to - ids) >> 2));
    store<u32>(to, cls);
    to += 4;
    if (pairs) {
      text = encodePair(text, to, room, i, terminator);
    } else {
      setOutputEnd(to);
      text = encodeOne(text, room < most ? to + (room << 2) : usize.MAX_VALUE, terminator);
      if (outputEnd() - to > room << 2 && room < most) {
        setOutputEnd(to + (room << 2));
        truncated++;
      }
      emit(sep);
      store<u32>(secondStarts + (i << 2), <u32>((outputEnd() - ids) >> 2));
    }
    to = outputEnd();
  }
  const total = (to - ids) >> 2;
  store<u32>(offsets + (count << 2), <u32>total);
  return text === end ? <i32>total : -1;
}

/**
 * WordPiece: the tokens of the one text in the `bytes` bytes of input, the zero byte behind it counted, without special ones.
 * Returns how many. `tokenizer_ids`: u32; `tokenizer_spans`: u32 [tokens, 2], where each begins and ends in the text, in bytes.
 */
export function tokenizer_trace(bytes: u32): u32 {
  allocateOutput(0, 3 * bytes);
  spans = ids + ((<usize>bytes) << 2);
  setOutputEnd(ids);
  beginTrace(input, ids, spans);
  traceText(input);
  endTrace();
  return <u32>((outputEnd() - ids) >> 2);
}

export function tokenizer_spans(): usize {
  return spans;
}

export function tokenizer_offsets(): usize {
  return offsets;
}

export function tokenizer_second_starts(): usize {
  return secondStarts;
}

export function tokenizer_ids(): usize {
  return ids;
}

/** How many of the texts or pairs last encoded lost tokens to the maximum length. */
export function tokenizer_truncated(): i32 {
  return truncated;
}

function encodeOne(text: usize, stop: usize, terminator: u32): usize {
  return byteLevel ? encodeBytes(text, stop, terminator) : encodeText(text, stop);
}

/** Both texts of pair `i`, the first one's ids from `to` on. Returns the address after the second text. */
function encodePair(text: usize, to: usize, room: usize, i: u32, terminator: u32): usize {
  setOutputEnd(to);
  const second = encodeOne(text, usize.MAX_VALUE, terminator);
  const from = outputEnd();
  const after = encodeOne(second, usize.MAX_VALUE, terminator);
  const n1 = (from - to) >> 2;
  const n2 = (outputEnd() - from) >> 2;
  let keep1 = n1;
  let keep2 = n2;
  if (n1 + n2 > room) {
    // As Hugging Face's `LongestFirst`: the shorter one keeps up to half of the room, the longer one (the second of two equals)
    // the rest.
    if (n1 > n2) {
      keep2 = min(n2, room / 2);
      keep1 = room - keep2;
    } else {
      keep1 = min(n1, room / 2);
      keep2 = room - keep1;
    }
    truncated++;
  }
  const start = to + ((keep1 + separators) << 2);
  memory.copy(start, from, keep2 << 2);
  setOutputEnd(to + (keep1 << 2));
  for (let n: usize = 0; n < separators; n++) emit(sep);
  store<u32>(secondStarts + (i << 2), <u32>((start - ids) >> 2));
  setOutputEnd(start + (keep2 << 2));
  emit(sep);
  return after;
}

function allocateOutput(count: u32, tokens: u32): void {
  const head = (<usize>count * 2 + 1) << 2;
  const bytes = head + ((<usize>tokens) << 2) + MARGIN;
  if (bytes > outputBytes) {
    outputBytes = bytes;
    output = output === 0 ? heap.alloc(bytes) : heap.realloc(output, bytes);
  }
  offsets = output;
  secondStarts = offsets + ((<usize>count + 1) << 2);
  ids = output + head;
}
