import type { TokenizerFunctions } from './functions';
import type { TracedText } from './trace';
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
  /** Whether words have the blank before them in their tokens: byte-level BPE. */
  readonly wordsBeginWithBlank: boolean;
  /** The tokens of a text and where each comes from. */
  trace(text: string): TracedText;
  /** The text of some tokens. */
  join(tokens: readonly string[]): string;
}
