import { GraftError, OptionError } from '../errors';
import { loadBytePair } from './byte-pair';
import type { TokenizerModel } from './model';
import type { EncodedBatch, EncodeOptions, Encoding, TokenizerOptions } from './options';
import type { SpecialTokenIds } from './vocabulary';
import { loadWordPiece } from './wordpiece';

/** The largest u32: no maximum. */
const NO_MAXIMUM = 0xffffffff;

/**
 * BERT's WordPiece or RoBERTa's byte-level BPE: the same ids as Hugging Face's `tokenizers` for every text. The work is done in an
 * instance of the WebAssembly module that this object owns; `dispose` lets it go.
 */
export class Tokenizer {
  /** Tokens, added ones included; every id is below it. */
  readonly vocabularySize: number;
  /** Ids of [CLS] and [SEP] (RoBERTa's <s> and </s>), and of the unknown token, [PAD] and [MASK] where there are such. */
  readonly specialTokens: SpecialTokenIds;
  readonly #tokens: readonly string[];
  readonly #join: TokenizerModel['join'];
  #model: TokenizerModel | undefined;

  private constructor(model: TokenizerModel) {
    this.#model = model;
    this.#tokens = model.tokens;
    this.#join = model.join;
    this.vocabularySize = model.tokens.length;
    this.specialTokens = model.special;
  }

  /**
   * @throws FileFormatError for a vocabulary that is empty, not UTF-8, too large, has a token twice, or lacks a token that the
   * model needs; for an added token whose id is not its own; for merges that do not fit the vocabulary
   */
  static async load(options: TokenizerOptions): Promise<Tokenizer> {
    return new Tokenizer(await ('merges' in options ? loadBytePair(options) : loadWordPiece(options)));
  }

  /**
   * One text, or with `pair` a pair of texts. A text that is too long loses its end; of a pair, the longer text does first.
   * @throws OptionError for a maximum length that has no room for [CLS] and [SEP]
   */
  encode(text: string, pair?: string, options: EncodeOptions = {}): Encoding {
    const { ids, typeIds, truncated } =
      pair === undefined ? this.encodeBatch([text], options) : this.encodeBatchPairs([text], [pair], options);
    return { ids, typeIds, truncated: truncated > 0 };
  }

  /** Many texts at once, much faster than one by one. @throws OptionError as `encode` */
  encodeBatch(texts: readonly string[], options: EncodeOptions = {}): EncodedBatch {
    return this.#encode(texts, false, options);
  }

  /**
   * Many pairs at once: `firsts[i]` with `seconds[i]`.
   * @throws OptionError as `encode`, and where the lists differ in length
   */
  encodeBatchPairs(
    firsts: readonly string[],
    seconds: readonly string[],
    options: EncodeOptions = {},
  ): EncodedBatch {
    if (firsts.length !== seconds.length) {
      throw new OptionError('seconds', `${seconds.length} texts, but ${firsts.length} in firsts`);
    }
    return this.#encode(
      firsts.flatMap((first, i) => [first, seconds[i] ?? '']),
      true,
      options,
    );
  }

  /**
   * The text of tokens. WordPiece: tokens joined by blanks, parts of words without `##` and without a blank. Byte-level BPE:
   * their bytes, as UTF-8. Special tokens are kept.
   * @throws OptionError for an id that the vocabulary does not have
   */
  decode(ids: ArrayLike<number>): string {
    const tokens = Array.from(ids, (id) => {
      const token = this.#tokens[id];
      if (token === undefined) {
        throw new OptionError('ids', `${id} is not an id of a vocabulary of ${this.vocabularySize} tokens`);
      }
      return token;
    });
    return this.#join(tokens);
  }

  /** The token of an id; undefined where the vocabulary does not have it. */
  token(id: number): string | undefined {
    return this.#tokens[id];
  }

  /** Lets the memory go. Encoding after that throws GraftError. */
  dispose(): void {
    this.#model = undefined;
  }

  #encode(texts: readonly string[], pairs: boolean, { maxLength = NO_MAXIMUM }: EncodeOptions): EncodedBatch {
    if (this.#model === undefined) throw new GraftError('This tokenizer was disposed of');
    const { functions, specialsOfPair, secondType } = this.#model;
    const special = pairs ? specialsOfPair : 2;
    if (!Number.isInteger(maxLength) || maxLength < special) {
      throw new OptionError(
        'maxLength',
        `${maxLength} is not a whole number of at least ${special}`,
        pairs ? `A pair has ${specialsOfPair} special tokens` : 'A text has 2 special tokens',
      );
    }
    return functions.encode(texts, pairs, Math.min(maxLength, NO_MAXIMUM), secondType);
  }
}
