/** The tokens of a vocabulary, checked. */
import { FileFormatError } from '../errors';

/** A token found in the raw text, whatever stands around it, before the text is normalised. */
export interface AddedToken {
  readonly content: string;
  readonly id: number;
  /** Byte-level BPE: whether blanks before it, or after it, belong to it (`lstrip`, `rstrip`). */
  readonly leftBlanks?: boolean | undefined;
  readonly rightBlanks?: boolean | undefined;
  /** Byte-level BPE: looked for in what the other added tokens leave (`normalized`). */
  readonly last?: boolean | undefined;
}

/** Names of the tokens with a part of their own. */
export interface SpecialTokenNames {
  readonly unknown: string;
  readonly cls: string;
  readonly sep: string;
  readonly pad: string;
  readonly mask: string;
}

export const BERT_TOKEN_NAMES: SpecialTokenNames = {
  unknown: '[UNK]',
  cls: '[CLS]',
  sep: '[SEP]',
  pad: '[PAD]',
  mask: '[MASK]',
};

export const ROBERTA_TOKEN_NAMES: SpecialTokenNames = {
  unknown: '<unk>',
  cls: '<s>',
  sep: '</s>',
  pad: '<pad>',
  mask: '<mask>',
};

/** The ids of the special tokens. Byte-level BPE does without the unknown one. */
export interface SpecialTokenIds {
  readonly unknown: number | undefined;
  readonly cls: number;
  readonly sep: number;
  readonly pad: number | undefined;
  readonly mask: number | undefined;
}

/**
 * The tokens of a vocab.txt, one a line, the line's number (from 0) being the id. Lines end as they do for Python, which wrote
 * the file: with \n, \r\n or \r.
 * @throws FileFormatError for invalid UTF-8, naming the line
 */
export function splitVocabulary(bytes: Uint8Array, fileName: string): string[] {
  const text = decode(bytes);
  if (text === undefined) {
    throw new FileFormatError(
      fileName,
      `line ${firstInvalidLine(bytes)}`,
      'not valid UTF-8',
      'A vocab.txt holds one token a line in UTF-8: is this another file, or was it damaged on the way?',
    );
  }
  const tokens = text.split(/\r\n|\r|\n/);
  if (tokens.at(-1) === '') tokens.pop();
  return tokens;
}

/**
 * Checks tokens in id order and finds the special ones among them.
 * @throws FileFormatError for no token at all, a token that occurs twice or holds U+0000, and where cls or sep is missing
 */
export function checkVocabulary(
  tokens: readonly string[],
  names: SpecialTokenNames,
  fileName: string,
): SpecialTokenIds {
  if (tokens.length === 0) {
    throw new FileFormatError(fileName, undefined, 'no tokens', 'A vocab.txt holds one token a line');
  }
  const ids = new Map<string, number>();
  tokens.forEach((token, id) => {
    const earlier = ids.get(token);
    if (earlier !== undefined) {
      throw new FileFormatError(
        fileName,
        place(id),
        `the token ${JSON.stringify(token)} is also the ${place(earlier)}`,
      );
    }
    if (token.includes('\0')) {
      throw new FileFormatError(fileName, place(id), 'a token with U+0000, which no text can have');
    }
    ids.set(token, id);
  });
  return {
    unknown: ids.get(names.unknown),
    cls: requireToken(ids.get(names.cls), names.cls, fileName),
    sep: requireToken(ids.get(names.sep), names.sep, fileName),
    pad: ids.get(names.pad),
    mask: ids.get(names.mask),
  };
}

/** The id that a token has; throws FileFormatError where it has none. */
export function requireToken(id: number | undefined, name: string, fileName: string): number {
  if (id === undefined) {
    throw new FileFormatError(
      fileName,
      undefined,
      `the token ${name} is missing`,
      "Only vocabularies of BERT's and of RoBERTa's kind are supported, and they hold it",
    );
  }
  return id;
}

/** The vocabulary, then the added tokens that it does not hold. */
export function withAddedTokens(
  model: readonly string[],
  added: readonly AddedToken[],
  fileName: string,
): readonly string[] {
  const beyond = added.filter(({ id }) => id >= model.length).sort((a, b) => a.id - b.id);
  const tokens = [...model, ...beyond.map(({ content }) => content)];
  for (const { content, id } of added) {
    if (tokens[id] !== content) {
      throw new FileFormatError(
        fileName,
        `added token ${JSON.stringify(content)}`,
        `its id is ${id}, which is ${tokens[id] === undefined ? 'not an id that follows the vocabulary' : JSON.stringify(tokens[id])}`,
      );
    }
  }
  return tokens;
}

/** The special tokens that a vocabulary holds, as added ones. */
export function specialTokensOf(special: SpecialTokenIds, tokens: readonly string[]): AddedToken[] {
  return Object.values(special)
    .filter((id) => id !== undefined)
    .map((id: number) => ({ id, content: tokens[id] ?? '' }));
}

function place(id: number): string {
  return `token ${id} (line ${id + 1})`;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    // A byte order mark is part of the first token, as it is for Python.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Counts from 1. A line feed is never a part of another character in UTF-8, so lines can be looked at one by one. */
function firstInvalidLine(bytes: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const feed = bytes.indexOf(0x0a, start);
    const end = feed < 0 ? bytes.length : feed + 1;
    if (decode(bytes.subarray(start, end)) === undefined) return line;
    start = end;
  }
  return line;
}
