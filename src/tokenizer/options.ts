import type { AddedToken, SpecialTokenNames } from './vocabulary';

/** A tokenizer's model: WordPiece, or byte-level BPE, which has `merges`. */
export type TokenizerOptions = WordPieceOptions | BytePairOptions;

export interface WordPieceOptions {
  /** The bytes of a vocab.txt, or the tokens in the order of their ids. */
  readonly vocabulary: Uint8Array | readonly string[];
  /** Whether the model was trained on lower-cased text ("uncased"). */
  readonly lowercase: boolean;
  /** Default: as `lowercase`. */
  readonly stripAccents?: boolean | undefined;
  /** Every Chinese character is a word of its own. Default true. */
  readonly handleChineseCharacters?: boolean | undefined;
  /** The token type of a pair's second text. Default 1; 0 for a model without token types. */
  readonly secondType?: 0 | 1 | undefined;
  /** Default: BERT's [UNK], [CLS], [SEP], [PAD], [MASK]. */
  readonly specialTokens?: SpecialTokenNames | undefined;
  /**
   * Tokens that are matched in the raw text. Those that are not in the vocabulary have the ids that follow it. Default: the
   * special tokens that the vocabulary holds.
   */
  readonly addedTokens?: readonly AddedToken[] | undefined;
  /** For messages. */
  readonly fileName: string;
}

export interface BytePairOptions {
  /** The tokens in the order of their ids, written in the characters that stand for bytes. */
  readonly vocabulary: readonly string[];
  /** Pairs of tokens; the earlier one is merged first. */
  readonly merges: readonly (readonly [string, string])[];
  /** Whether a text is read as if it began with a blank. Default false. */
  readonly addPrefixSpace?: boolean | undefined;
  /** Default: RoBERTa's <unk>, <s>, </s>, <pad>, <mask>. */
  readonly specialTokens?: SpecialTokenNames | undefined;
  /** As for WordPiece. */
  readonly addedTokens?: readonly AddedToken[] | undefined;
  /** For messages; the merges may have a file of their own. */
  readonly fileName: string;
  readonly mergesFileName?: string | undefined;
}

/** For `Tokenizer.encode` and its like. */
export interface EncodeOptions {
  /** The most ids of a sequence, special tokens included: at least 2, with pairs 3 (RoBERTa: 4). Default: no maximum. */
  readonly maxLength?: number | undefined;
}

/**
 * A text, or a pair, as the model takes it: `[CLS] text [SEP]` or `[CLS] text [SEP] pair [SEP]` for BERT, `<s> text </s>` or
 * `<s> text </s></s> pair </s>` for RoBERTa.
 */
export interface Encoding {
  /** Of the tokens, special ones included. */
  readonly ids: Uint32Array<ArrayBuffer>;
  /** As many: for BERT 0 up to the first [SEP], 1 from there on; for RoBERTa 0. */
  readonly typeIds: Uint8Array<ArrayBuffer>;
  /** Whether the maximum length cut something off. */
  readonly truncated: boolean;
}

/** Many sequences, end to end. */
export interface EncodedBatch {
  /** `[T]`, of all tokens, special ones included. */
  readonly ids: Uint32Array<ArrayBuffer>;
  /** `[T]`: 0 up to a sequence's first [SEP], 1 from there on. */
  readonly typeIds: Uint8Array<ArrayBuffer>;
  /** `[sequences + 1]`: sequence i has the ids from `offsets[i]` up to `offsets[i + 1]`. */
  readonly offsets: Uint32Array<ArrayBuffer>;
  /** How many sequences the maximum length cut something off. */
  readonly truncated: number;
}
