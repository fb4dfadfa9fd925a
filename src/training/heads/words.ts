import type { Tokenizer } from '../../tokenizer/tokenizer';
import type { EncodedExample } from '../batches';

/** A word's place in a list of words, and the token that speaks for it: its first. */
export interface WordToken {
  readonly word: number;
  /** Among the tokens of the sequence. */
  readonly token: number;
}

/** A part of a text, and which of its tokens speak for words. */
export interface WordSequence {
  readonly sequence: EncodedExample;
  readonly words: readonly WordToken[];
}

/**
 * The tokens of a list of words, as few sequences of at most `maxLength` as hold them all: where a text is too long, the next sequence
 * begins at a word. A word longer than a whole sequence loses its end. A word without tokens (control characters alone) has none
 * that speaks for it.
 */
export function encodeWords(
  words: readonly string[],
  tokenizer: Tokenizer,
  maxLength: number,
): WordSequence[] {
  const { ids, words: numbers } = tokenizer.traceWords(words);
  const room = maxLength - 2;
  const end = ids.length - 1;
  const sequences: WordSequence[] = [];
  for (let from = 1; from < end || sequences.length === 0; ) {
    let to = Math.min(from + room, end);
    let next = to;
    if (to < end && numbers[to] === numbers[to - 1]) {
      while (to > from && numbers[to - 1] === numbers[next]) to--;
      if (to === from) {
        to = next;
        while (next < end && numbers[next] === numbers[to - 1]) next++;
      } else {
        next = to;
      }
    }
    sequences.push(sequenceOf(tokenizer, ids.subarray(from, to), numbers.subarray(from, to)));
    from = next;
  }
  return sequences;
}

function sequenceOf(tokenizer: Tokenizer, ids: Uint32Array, numbers: Int32Array): WordSequence {
  const { cls, sep } = tokenizer.specialTokens;
  const words: WordToken[] = [];
  numbers.forEach((word, i) => {
    if (word !== numbers[i - 1]) words.push({ word, token: i + 1 });
  });
  return {
    sequence: {
      ids: Uint32Array.of(cls, ...ids, sep),
      typeIds: new Uint8Array(ids.length + 2),
      labels: [],
      weight: 0,
    },
    words,
  };
}

/** A word of a text. */
export interface TextWord {
  readonly text: string;
  /** In the text, in UTF-16 code units. */
  readonly start: number;
}

/** Runs of letters, marks and numbers, and every other character but blanks by itself: as BERT's tokenizer splits, and CoNLL's files mostly. */
export function splitWords(text: string): TextWord[] {
  return Array.from(text.matchAll(/[\p{L}\p{M}\p{N}]+|[^\s\p{L}\p{M}\p{N}]/gu), (match) => ({
    text: match[0],
    start: match.index,
  }));
}
