import { FileFormatError } from '../errors';
import type { WasmFunction, WasmInstance } from '../wasm/instance';
import { charactersOf } from './characters';
import type { EncodedBatch } from './options';
import type { TracedText } from './trace';
import type { AddedToken } from './vocabulary';

/** Code units of text in one call of the module: enough to forget the call, little enough to stay in the cache. */
const CHUNK_UNITS = 1 << 17;
/** The most bytes of UTF-8 per UTF-16 code unit. */
const BYTES_PER_UNIT = 3;
/** The largest u32: no maximum length. */
export const NO_MAXIMUM = 0xffffffff;
/** Stands between texts that hold U+0000 themselves: no UTF-8 has this byte. */
const TERMINATOR = 0xff;
/** Bits above an added token's id: assembly/tokenizer/byte-level.ts. */
const LEFT_BLANKS = 2 ** 31;
const RIGHT_BLANKS = 2 ** 30;

/** The module's functions with the memory that they work on. */
export class TokenizerFunctions {
  /** Takes the written tokens, NUL after each: (count) → how many found room. */
  readonly vocabulary: WasmFunction;
  readonly #memory: WebAssembly.Memory;
  readonly #added: WasmFunction;
  readonly #initWordPiece: WasmFunction;
  readonly #initBytePair: WasmFunction;
  readonly #input: WasmFunction;
  readonly #encode: WasmFunction;
  readonly #ids: WasmFunction;
  readonly #offsets: WasmFunction;
  readonly #secondStarts: WasmFunction;
  readonly #truncated: WasmFunction;
  readonly #trace: WasmFunction;
  readonly #spans: WasmFunction;
  readonly #utf8 = new TextEncoder();
  #keepsNul = false;

  constructor(wasm: WasmInstance) {
    this.#memory = wasm.memory;
    this.vocabulary = wasm.function('tokenizer_vocabulary');
    this.#added = wasm.function('tokenizer_added');
    this.#initWordPiece = wasm.function('tokenizer_init');
    this.#initBytePair = wasm.function('tokenizer_init_bytes');
    this.#input = wasm.function('tokenizer_input');
    this.#encode = wasm.function('tokenizer_encode');
    this.#ids = wasm.function('tokenizer_ids');
    this.#offsets = wasm.function('tokenizer_offsets');
    this.#secondStarts = wasm.function('tokenizer_second_starts');
    this.#truncated = wasm.function('tokenizer_truncated');
    this.#trace = wasm.function('tokenizer_trace');
    this.#spans = wasm.function('tokenizer_spans');
  }

  /** First of all, for WordPiece. `unknown`, `cls`, `sep` are ids. */
  initWordPiece(
    { lowercase, stripAccents, chinese }: Readonly<Record<'lowercase' | 'stripAccents' | 'chinese', boolean>>,
    { unknown, cls, sep }: Readonly<Record<'unknown' | 'cls' | 'sep', number>>,
  ): void {
    this.#initWordPiece(Number(lowercase), Number(stripAccents), Number(chinese), unknown, cls, sep);
  }

  /** First of all, for byte-level BPE. `table`: the tokens of the 256 bytes, then left, right and result of each merge. */
  initBytePair(table: Uint32Array, addPrefixSpace: boolean, cls: number, sep: number): void {
    const address = this.#input(table.byteLength);
    new Uint8Array(this.#memory.buffer, address, table.byteLength).set(
      new Uint8Array(table.buffer, table.byteOffset, table.byteLength),
    );
    this.#initBytePair((table.length - 256) / 3, Number(addPrefixSpace), cls, sep);
    this.#keepsNul = true;
  }

  /** Has tokens matched in raw text. Throws FileFormatError where there is no room for them. */
  addTokens(tokens: readonly AddedToken[], fileName: string): void {
    for (const { content, id, leftBlanks = false, rightBlanks = false, last = false } of tokens) {
      if (content === '') continue;
      const flags = Number(leftBlanks) * LEFT_BLANKS + Number(rightBlanks) * RIGHT_BLANKS;
      if (this.#added(this.write(content), id + flags, Number(last)) === 0) {
        throw new FileFormatError(fileName, `token ${id}`, 'the vocabulary is larger than 16 million bytes');
      }
    }
  }

  /** Writes text into the module's input as UTF-8, lone surrogates as U+FFFD. Returns the bytes written. */
  write(text: string): number {
    const room = text.length * BYTES_PER_UNIT;
    const address = this.#input(room);
    return this.#utf8.encodeInto(text, new Uint8Array(this.#memory.buffer, address, room)).written;
  }

  /** Many sequences, in several calls of the module where they are long. Pairs lie as first, second, first, second. */
  encode(texts: readonly string[], pairs: boolean, maxLength: number, secondType: 0 | 1): EncodedBatch {
    const chunks: EncodedBatch[] = [];
    for (const [from, to] of chunkBounds(texts, pairs ? 2 : 1)) {
      const part = from === 0 && to === texts.length ? texts : texts.slice(from, to);
      chunks.push(this.#encodeChunk(part, pairs, maxLength, secondType));
    }
    return concatenate(chunks);
  }

  /** WordPiece: the tokens of a text, without special ones, and where they come from. */
  traceWordPiece(text: string): TracedText {
    const total = this.#trace(this.write(`${text.replaceAll('\0', '\u0001')}\0`));
    const { buffer } = this.#memory;
    const ids = new Uint32Array(buffer, this.#ids(), total).slice();
    const spans = new Uint32Array(buffer, this.#spans(), 2 * total);
    const { ofByte, units } = charactersOf(text);
    // Spans are of whole code points.
    const unitOf = (byte = 0) => units[ofByte[byte] ?? units.length - 1] ?? 0;
    return {
      ids,
      starts: Uint32Array.from(ids, (_, i) => unitOf(spans[2 * i])),
      ends: Uint32Array.from(ids, (_, i) => unitOf(spans[2 * i + 1])),
    };
  }

  #encodeChunk(texts: readonly string[], pairs: boolean, maxLength: number, secondType: 0 | 1): EncodedBatch {
    const count = pairs ? texts.length / 2 : texts.length;
    // One string costs one call of the encoder; U+0000 stands between the texts.
    let total = this.#encode(this.write(`${texts.join('\0')}\0`), count, Number(pairs), maxLength, 0);
    if (total < 0) {
      // A text has U+0000 itself.
      const [bytes, terminator] = this.#keepsNul
        ? [this.#writeEach(texts), TERMINATOR]
        : // WordPiece drops all control characters, so another one has the same effect.
          [this.write(`${texts.map((text) => text.replaceAll('\0', '\u0001')).join('\0')}\0`), 0];
      total = this.#encode(bytes, count, Number(pairs), maxLength, terminator);
    }
    const { buffer } = this.#memory;
    const offsets = new Uint32Array(buffer, this.#offsets(), count + 1).slice();
    const typeIds = new Uint8Array(total);
    if (pairs && secondType === 1) {
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

  /** Writes texts one by one, TERMINATOR after each. Returns the bytes written. */
  #writeEach(texts: readonly string[]): number {
    const room = texts.reduce((sum, text) => sum + text.length * BYTES_PER_UNIT + 1, 0);
    const input = new Uint8Array(this.#memory.buffer, this.#input(room), room);
    let end = 0;
    for (const text of texts) {
      end += this.#utf8.encodeInto(text, input.subarray(end)).written;
      input[end++] = TERMINATOR;
    }
    return end;
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
