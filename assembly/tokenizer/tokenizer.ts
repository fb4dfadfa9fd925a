import { encodeText, expectAdded, initText } from './text';
import { ADDED, CONTINUATION, INITIAL, initTrie, insertToken } from './trie';
import { expandUnicode } from './unicode';
import { emit, outputEnd, setOutputEnd, setUnknown } from './word';

/*
 * What src/tokenizer calls. One instance of the module holds one tokenizer. Texts and tokens come in as UTF-8, each followed by
 * a zero byte (a text holds none: the caller sees to it).
 */

let input: usize = 0;
let inputBytes: usize = 0;
let output: usize = 0;
let outputBytes: usize = 0;

let cls: u32 = 0;
let sep: u32 = 0;

let offsets: usize = 0;
let secondStarts: usize = 0;
let ids: usize = 0;
let truncated: i32 = 0;

/** Address for `bytes` bytes of input. What lay there before is lost. */
export function tokenizer_input(bytes: usize): usize {
  if (bytes > inputBytes) {
    inputBytes = bytes;
    input = input === 0 ? heap.alloc(inputBytes) : heap.realloc(input, inputBytes);
  }
  return input;
}

/** Once, first of all. `unknown`, `cls`, `sep` are ids. */
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

/** Has the token in the input (one, not empty) matched in raw text, as `id`. False if there is no room. */
export function tokenizer_added(bytes: u32, id: u32): bool {
  expectAdded(load<u8>(input));
  return insertToken(ADDED, input, bytes, id);
}

/**
 * Encodes the `count` texts, or with `pairs` the `count` pairs (first, second, first, …), in the `bytes` bytes of input, each
 * to at most `maxLength` ids. Returns the ids in all; -1 if there are more texts in the input than that.
 *
 * `tokenizer_offsets`: u32 [count + 1], where each sequence begins in `tokenizer_ids`: u32; `tokenizer_second_starts`:
 * u32 [count], where the second text begins (the sequence's end without pairs). They hold until the next call of anything here.
 */
export function tokenizer_encode(bytes: u32, count: u32, pairs: bool, maxLength: u32): i32 {
  const end = input + bytes;
  // No text has more tokens than bytes (generate.py checks the expansions), and three special ones come on top.
  allocateOutput(count, bytes + 3 * count);

  const room: usize = <usize>maxLength - (pairs ? 3 : 2);
  let text = input;
  let to = ids;
  truncated = 0;
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(offsets + (i << 2), <u32>((to - ids) >> 2));
    store<u32>(to, cls);
    to += 4;
    if (pairs) {
      text = encodePair(text, to, room, i);
    } else {
      setOutputEnd(to);
      text = encodeText(text, room < bytes ? to + (room << 2) : usize.MAX_VALUE);
      if (outputEnd() - to > room << 2 && room < bytes) {
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

/** Both texts of pair `i`, the first one's ids from `to` on. Returns the address after the second text. */
function encodePair(text: usize, to: usize, room: usize, i: u32): usize {
  setOutputEnd(to);
  const second = encodeText(text, usize.MAX_VALUE);
  const from = outputEnd();
  const after = encodeText(second, usize.MAX_VALUE);
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
  memory.copy(to + ((keep1 + 1) << 2), from, keep2 << 2);
  store<u32>(to + (keep1 << 2), sep);
  store<u32>(secondStarts + (i << 2), <u32>((to - ids) >> 2) + <u32>keep1 + 1);
  setOutputEnd(to + ((keep1 + 1 + keep2) << 2));
  emit(sep);
  return after;
}

function allocateOutput(count: u32, tokens: u32): void {
  const head = (<usize>count * 2 + 1) << 2;
  const bytes = head + ((<usize>tokens) << 2);
  if (bytes > outputBytes) {
    outputBytes = bytes;
    output = output === 0 ? heap.alloc(bytes) : heap.realloc(output, bytes);
  }
  offsets = output;
  secondStarts = offsets + ((<usize>count + 1) << 2);
  ids = output + head;
}
