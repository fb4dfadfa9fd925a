import { FileFormatError, GraftError, OptionError } from '../errors';
import type { WasmFunction, WasmInstance } from '../wasm/instance';
import { instantiate } from '../wasm/module';
import type { EncodedBatch, EncodeOptions, Encoding, TokenizerOptions } from './options';
import {
  type AddedToken,
  BERT_TOKEN_NAMES,
  checkVocabulary,
  type SpecialTokenIds,
  splitVocabulary,
} from './vocabulary';

/** Code units of text in one call of the module: enough to forget the call, little enough to stay in the cache. */
const CHUNK_UNITS = 1 << 17;
/** The most bytes of UTF-8 per UTF-16 code unit. */
const BYTES_PER_UNIT = 3;
/** The largest u32: no maximum. */
const NO_MAXIMUM = 0xffffffff;

/**
 * BERT's WordPiece tokenizer: the same ids as Hugging Face's `tokenizers` for every text. The work is done in an instance of the
 * WebAssembly module that this object owns; `dispose` lets it go.
 */
export class Tokenizer {
  /** Tokens, added ones included; every id is below it. */
  readonly vocabularySize: number;
  /** Ids of [UNK], [CLS], [SEP], and of [PAD] and [MASK] where there are such. */
  readonly specialTokens: SpecialTokenIds;
  readonly #tokens: readonly string[];
  #functions: TokenizerFunctions | undefined;

  private constructor(functions: TokenizerFunctions, tokens: readonly string[], special: SpecialTokenIds) {
    this.#functions = functions;
    this.#tokens = tokens;
    this.vocabularySize = tokens.length;
    this.specialTokens = special;
  }

  /**
   * @throws FileFormatError for a vocabulary that is empty, not UTF-8, too large, has a token twice, or lacks [UNK], [CLS] or
   * [SEP]; or for an added token whose id is not its own
   */
  static async load(options: TokenizerOptions): Promise<Tokenizer> {
    const { lowercase, fileName, specialTokens: names = BERT_TOKEN_NAMES } = options;
    const model =
      options.vocabulary instanceof Uint8Array
        ? splitVocabulary(options.vocabulary, fileName)
        : options.vocabulary;
    const tokens = withAddedTokens(model, options.addedTokens ?? [], fileName);
    const special = checkVocabulary(tokens, names, fileName);
    const added = options.addedTokens ?? specialTokensOf(special, tokens);

    const functions = new TokenizerFunctions(await instantiate());
    functions.init(
      Number(lowercase),
      Number(options.stripAccents ?? lowercase),
      Number(options.handleChineseCharacters ?? true),
      special.unknown,
      special.cls,
      special.sep,
    );
    functions.write(`${model.join('\0')}\0`);
    const taken = functions.vocabulary(model.length);
    if (taken < model.length) {
      throw new FileFormatError(fileName, `token ${taken}`, 'the vocabulary is larger than 16 million bytes');
    }
    for (const { content, id } of added) {
      if (content !== '' && functions.added(functions.write(content), id) === 0) {
        throw new FileFormatError(fileName, `token ${id}`, 'the vocabulary is larger than 16 million bytes');
      }
    }
    return new Tokenizer(functions, tokens, special);
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
   * Tokens joined by blanks, parts of words without `##` and without a blank. Special tokens are kept.
   * @throws OptionError for an id that the vocabulary does not have
   */
  decode(ids: ArrayLike<number>): string {
    return Array.from(ids, (id, position) => {
      const token = this.#tokens[id];
      if (token === undefined) {
        throw new OptionError('ids', `${id} is not an id of a vocabulary of ${this.vocabularySize} tokens`);
      }
      if (token.startsWith('##')) return token.slice(2);
      return position === 0 ? token : ` ${token}`;
    }).join('');
  }

  /** The token of an id; undefined where the vocabulary does not have it. */
  token(id: number): string | undefined {
    return this.#tokens[id];
  }

  /** Lets the memory go. Encoding after that throws GraftError. */
  dispose(): void {
    this.#functions = undefined;
  }

  #encode(texts: readonly string[], pairs: boolean, { maxLength = NO_MAXIMUM }: EncodeOptions): EncodedBatch {
    const functions = this.#functions;
    if (functions === undefined) throw new GraftError('This tokenizer was disposed of');
    const special = pairs ? 3 : 2;
    if (!Number.isInteger(maxLength) || maxLength < special) {
      throw new OptionError(
        'maxLength',
        `${maxLength} is not a whole number of at least ${special}`,
        `${pairs ? 'A pair has three special tokens' : '[CLS] and [SEP] are two tokens'}`,
      );
    }
    const chunks: EncodedBatch[] = [];
    for (const [from, to] of chunkBounds(texts, pairs ? 2 : 1)) {
      chunks.push(functions.encode(texts, from, to, pairs, Math.min(maxLength, NO_MAXIMUM)));
    }
    return concatenate(chunks);
  }
}

/** The module's functions with the memory that they work on. */
class TokenizerFunctions {
  readonly init: WasmFunction;
  /** Takes the written tokens, NUL after each: (count) → how many found room. */
  readonly vocabulary: WasmFunction;
  /** Takes the written token: (bytes, id) → 0 if it found no room. */
  readonly added: WasmFunction;
  readonly #memory: WebAssembly.Memory;
  readonly #input: WasmFunction;
  readonly #encode: WasmFunction;
  readonly #ids: WasmFunction;
  readonly #offsets: WasmFunction;
  readonly #secondStarts: WasmFunction;
  readonly #truncated: WasmFunction;
  readonly #utf8 = new TextEncoder();

  constructor(wasm: WasmInstance) {
    this.#memory = wasm.memory;
    this.init = wasm.function('tokenizer_init');
    this.vocabulary = wasm.function('tokenizer_vocabulary');
    this.added = wasm.function('tokenizer_added');
    this.#input = wasm.function('tokenizer_input');
    this.#encode = wasm.function('tokenizer_encode');
    this.#ids = wasm.function('tokenizer_ids');
    this.#offsets = wasm.function('tokenizer_offsets');
    this.#secondStarts = wasm.function('tokenizer_second_starts');
    this.#truncated = wasm.function('tokenizer_truncated');
  }

  /** Writes text into the module's input as UTF-8, lone surrogates as U+FFFD. Returns the bytes written. */
  write(text: string): number {
    const room = text.length * BYTES_PER_UNIT;
    const address = this.#input(room);
    return this.#utf8.encodeInto(text, new Uint8Array(this.#memory.buffer, address, room)).written;
  }

  /** The texts from `from` up to `to`, pairs lying as first, second, first, second. */
  encode(
    texts: readonly string[],
    from: number,
    to: number,
    pairs: boolean,
    maxLength: number,
  ): EncodedBatch {
    const count = pairs ? (to - from) / 2 : to - from;
    const part = from === 0 && to === texts.length ? texts : texts.slice(from, to);
    // One string costs one call of the encoder; U+0000 stands between the texts.
    const run = (joined: string) => this.#encode(this.write(joined), count, Number(pairs), maxLength);
    let total = run(`${part.join('\0')}\0`);
    if (total < 0) {
      // A text has U+0000 itself. The tokenizer drops all control characters, so another one has the same effect.
      total = run(`${part.map((text) => text.replaceAll('\0', '\u0001')).join('\0')}\0`);
    }
    const { buffer } = this.#memory;
    const offsets = new Uint32Array(buffer, this.#offsets(), count + 1).slice();
    const typeIds = new Uint8Array(total);
    if (pairs) {
      const secondStarts = new Uint32Array(buffer, this.#secondStarts(), count);
      secondStarts.forEach((start, i) => {
        typeIds.fill(1, start, offsets[i + 1]);
      });
    }
    return {
      ids: new Uint32Array(buffer, this.#ids(), total).slice(),
      typeIds,
      offsets,
      truncated: this.#truncated(),
    };
  }
}

/** [from, to) of parts of `texts` with about CHUNK_UNITS code units; a part has a multiple of `group` texts. */
function* chunkBounds(texts: readonly string[], group: number): Generator<[number, number]> {
  let from = 0;
  let units = 0;
  for (let i = 0; i < texts.length; i++) {
    units += (texts[i]?.length ?? 0) + 1;
    if (units >= CHUNK_UNITS && (i + 1) % group === 0) {
      yield [from, i + 1];
      from = i + 1;
      units = 0;
    }
  }
  if (from < texts.length) yield [from, texts.length];
}

function concatenate(chunks: readonly EncodedBatch[]): EncodedBatch {
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return first;
  const sum = (size: (chunk: EncodedBatch) => number) => chunks.reduce((n, chunk) => n + size(chunk), 0);
  const total = sum(({ ids }) => ids.length);
  const ids = new Uint32Array(total);
  const typeIds = new Uint8Array(total);
  const offsets = new Uint32Array(sum((chunk) => chunk.offsets.length - 1) + 1);
  let token = 0;
  let sequence = 0;
  for (const chunk of chunks) {
    ids.set(chunk.ids, token);
    typeIds.set(chunk.typeIds, token);
    for (let i = 1; i < chunk.offsets.length; i++) offsets[++sequence] = token + (chunk.offsets[i] ?? 0);
    token += chunk.ids.length;
  }
  return { ids, typeIds, offsets, truncated: sum(({ truncated }) => truncated) };
}

/** The vocabulary, then the added tokens that it does not hold. */
function withAddedTokens(
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

function specialTokensOf(special: SpecialTokenIds, tokens: readonly string[]): AddedToken[] {
  return Object.values(special)
    .filter((id) => id !== undefined)
    .map((id: number) => ({ id, content: tokens[id] ?? '' }));
}
