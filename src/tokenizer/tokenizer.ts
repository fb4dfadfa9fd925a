import { GraftError, OptionError } from '../errors';
import { loadBytePair } from './byte-pair';
import { NO_MAXIMUM } from './functions';
import type { TokenizerModel } from './model';
import type { EncodedBatch, EncodeOptions, Encoding, TokenizerOptions } from './options';
import {
  type Frame,
  frame,
  joinWords,
  longestFirst,
  NO_TEXT,
  type TracedEncoding,
  type TracedWords,
  type WindowOptions,
  whole,
  windowRanges,
} from './trace';
import type { SpecialTokenIds } from './vocabulary';
import { loadWordPiece } from './wordpiece';

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
   * As `encode`, with the place that each token comes from.
   * @throws OptionError as `encode`
   */
  trace(text: string, pair?: string, options: EncodeOptions = {}): TracedEncoding {
    const { model, room } = this.#room(pair !== undefined, options);
    const first = whole(model.trace(text));
    if (pair === undefined) {
      const to = Math.min(first.to, room);
      return frame(frameOf(model), { ...first, to }, undefined, to < first.to);
    }
    const second = whole(model.trace(pair));
    const [keep1, keep2] = longestFirst(first.to, second.to, room);
    const isTruncated = keep1 + keep2 < first.to + second.to;
    return frame(frameOf(model), { ...first, to: keep1 }, { ...second, to: keep2 }, isTruncated);
  }

  /**
   * A text that was split into words: the tokens of the words with blanks between them, and the word that each comes from. As Hugging
   * Face's `is_split_into_words`, for RoBERTa with `add_prefix_space`. A word may have no tokens, if it is all control characters.
   * @throws OptionError as `encode`
   */
  traceWords(words: readonly string[], options: EncodeOptions = {}): TracedWords {
    const { model, room } = this.#room(false, options);
    const { text, starts } = joinWords(words, model.wordsBeginWithBlank);
    const all = whole(model.trace(text));
    const to = Math.min(all.to, room);
    const encoding = frame(frameOf(model), { ...all, to }, undefined, to < all.to);
    let word = 0;
    const numbers = Int32Array.from(encoding.ids, (_, i) => {
      if (encoding.texts[i] === NO_TEXT) return -1;
      while ((starts[word + 1] ?? Number.POSITIVE_INFINITY) <= (encoding.starts[i] ?? 0)) word++;
      return word;
    });
    const { ids, typeIds, truncated } = encoding;
    return { ids, typeIds, truncated, words: numbers };
  }

  /**
   * A pair whose second text may be too long: as many encodings as it takes, each with the whole first text and a window of the second
   * one's tokens, `stride` of them from the window before. As Hugging Face's `truncation='only_second'` with `stride` and
   * `return_overflowing_tokens`.
   * @throws OptionError where the first text leaves no room for more of the second than `stride` tokens
   */
  traceWindows(text: string, pair: string, options: WindowOptions = {}): TracedEncoding[] {
    const { model, room } = this.#room(true, options);
    const { stride = 0, maxFirst = NO_MAXIMUM } = options;
    const all = whole(model.trace(text));
    const first = { ...all, to: Math.min(all.to, maxFirst) };
    const second = whole(model.trace(pair));
    const left = room - first.to;
    if (!Number.isInteger(stride) || stride < 0) {
      throw new OptionError('stride', `${stride} is not a whole number of at least 0`);
    }
    if (left <= (second.to > left ? stride : -1)) {
      throw new OptionError(
        'maxLength',
        `${options.maxLength} leaves ${Math.max(0, left)} tokens for the second text beside the first one's ${first.to}, and windows share ${stride}`,
        'Raise it, shorten the first text, or lower the stride',
      );
    }
    const ranges = windowRanges(second.to, left, stride);
    return ranges.map(([from, to]) =>
      frame(frameOf(model), first, { ...second, from, to }, ranges.length > 1),
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

  #encode(texts: readonly string[], pairs: boolean, options: EncodeOptions): EncodedBatch {
    const { model, maxLength } = this.#room(pairs, options);
    return model.functions.encode(texts, pairs, maxLength, model.secondType);
  }

  /** The maximum length, checked, and how many tokens of text it leaves. */
  #room(pairs: boolean, { maxLength = NO_MAXIMUM }: EncodeOptions) {
    if (this.#model === undefined) throw new GraftError('This tokenizer was disposed of');
    const { specialsOfPair } = this.#model;
    const special = pairs ? specialsOfPair : 2;
    if (!Number.isInteger(maxLength) || maxLength < special) {
      throw new OptionError(
        'maxLength',
        `${maxLength} is not a whole number of at least ${special}`,
        pairs ? `A pair has ${specialsOfPair} special tokens` : 'A text has 2 special tokens',
      );
    }
    const most = Math.min(maxLength, NO_MAXIMUM);
    return { model: this.#model, maxLength: most, room: most - special };
  }
}

function frameOf({ special: { cls, sep }, specialsOfPair, secondType }: TokenizerModel): Frame {
  return { cls, sep, specialsOfPair, secondType };
}
