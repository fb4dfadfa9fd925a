import type { EncodeOptions, Encoding } from './options';

/** The tokens of one text, without special ones, and where they come from. */
export interface TracedText {
  readonly ids: Uint32Array<ArrayBuffer>;
  /** As many: the span of each, in UTF-16 code units of the text. */
  readonly starts: Uint32Array<ArrayBuffer>;
  readonly ends: Uint32Array<ArrayBuffer>;
}

/** Which text a token comes from: the first, the second, or none, as a special one. */
export const NO_TEXT = 2;

/** An encoding, and where its tokens come from. */
export interface TracedEncoding extends Encoding {
  /** As many as ids: 0 for tokens of the first text, 1 of the second, 2 for the special ones around them. */
  readonly texts: Uint8Array<ArrayBuffer>;
  /**
   * As many: token i comes from `text.slice(starts[i], ends[i])`, in UTF-16 code units of the text as it was given; 0 for the
   * special ones around the texts. As `offset_mapping` of Hugging Face's tokenizers, which counts in code points.
   */
  readonly starts: Uint32Array<ArrayBuffer>;
  /** Likewise. */
  readonly ends: Uint32Array<ArrayBuffer>;
}

/** A text that was given as words. */
export interface TracedWords extends Encoding {
  /** As many as ids: the number of the word that a token comes from; -1 for the special ones around them. */
  readonly words: Int32Array<ArrayBuffer>;
}

/** A sequence that is split over several encodings. */
export interface WindowOptions extends EncodeOptions {
  /** Tokens of the second text that a window repeats from the one before it. Default 0. */
  readonly stride?: number | undefined;
  /** Most tokens of the first text; what is beyond is cut. Default: no maximum. */
  readonly maxFirst?: number | undefined;
}

/** What stands around the texts. */
export interface Frame {
  readonly cls: number;
  readonly sep: number;
  /** How many special tokens a pair has; a text has 2. */
  readonly specialsOfPair: 3 | 4;
  readonly secondType: 0 | 1;
}

/** A part of a text's tokens: [from, to). */
export interface TokenRange {
  readonly text: TracedText;
  readonly from: number;
  readonly to: number;
}

export function whole(text: TracedText): TokenRange {
  return { text, from: 0, to: text.ids.length };
}

/** One encoding of one or two ranges, with the special tokens around them. */
export function frame(
  { cls, sep, specialsOfPair, secondType }: Frame,
  first: TokenRange,
  second: TokenRange | undefined,
  truncated: boolean,
): TracedEncoding {
  const total = first.to - first.from + (second === undefined ? 2 : second.to - second.from + specialsOfPair);
  const ids = new Uint32Array(total).fill(sep);
  const typeIds = new Uint8Array(total);
  const texts = new Uint8Array(total).fill(NO_TEXT);
  const starts = new Uint32Array(total);
  const ends = new Uint32Array(total);
  const place = ({ text, from, to }: TokenRange, at: number, number: number): number => {
    ids.set(text.ids.subarray(from, to), at);
    texts.fill(number, at, at + to - from);
    starts.set(text.starts.subarray(from, to), at);
    ends.set(text.ends.subarray(from, to), at);
    return at + to - from;
  };
  ids[0] = cls;
  const firstEnd = place(first, 1, 0);
  if (second !== undefined) {
    const secondStart = firstEnd + specialsOfPair - 2;
    place(second, secondStart, 1);
    typeIds.fill(secondType, secondStart);
  }
  return { ids, typeIds, truncated, texts, starts, ends };
}

/** Words with blanks between them, and where each begins. Byte-level BPE has the blank in front in a word's first token. */
export function joinWords(words: readonly string[], beginWithBlank: boolean) {
  let end = beginWithBlank ? 1 : 0;
  const starts = words.map((word) => {
    const start = end;
    end += word.length + 1;
    return start;
  });
  return { text: (beginWithBlank ? ' ' : '') + words.join(' '), starts };
}

/** As Hugging Face's `LongestFirst` and assembly/tokenizer/tokenizer.ts: how many tokens of each text stay. */
export function longestFirst(first: number, second: number, room: number): readonly [number, number] {
  if (first + second <= room) return [first, second];
  const half = Math.floor(room / 2);
  if (first > second) {
    const kept = Math.min(second, half);
    return [room - kept, kept];
  }
  const kept = Math.min(first, half);
  return [kept, room - kept];
}

/**
 * The ranges of `count` tokens that windows of at most `room` tokens take, each with `stride` tokens of the one before it; one
 * empty range where there are none. As `stride` and `return_overflowing_tokens` of Hugging Face's tokenizers.
 */
export function windowRanges(count: number, room: number, stride: number): (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = [];
  for (let from = 0; ; from += room - stride) {
    const to = Math.min(from + room, count);
    ranges.push([from, to]);
    if (to === count) return ranges;
  }
}
