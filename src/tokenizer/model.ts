import type { TokenizerFunctions } from './functions';
import type { SpecialTokenIds } from './vocabulary';

/** What a Tokenizer is made of: WordPiece (wordpiece.ts) or byte-level BPE (byte-pair.ts). */
export interface TokenizerModel {
  readonly functions: TokenizerFunctions;
  /** By id, added tokens included. */
  readonly tokens: readonly string[];
  readonly special: SpecialTokenIds;
  /** How many special tokens a pair has; a text has 2. */
  readonly specialsOfPair: 3 | 4;
  /** The token type of a pair's second text. */
  readonly secondType: 0 | 1;
  /** The text of some tokens. */
  join(tokens: readonly string[]): string;
}
