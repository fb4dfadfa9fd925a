import type { Backend } from '../backends/backend';
import { BYTES_PER_ELEMENT, type FrozenMatrixSpec, type WeightStorage } from '../backends/frozen-matrix';
import type { DeviceBuffer } from '../backends/schedule';
import type { EmbeddingTables, WordSlice } from '../ops/embeddings';
import { frozen, type Tensor } from '../scheduler/tape';
import type { Checkpoint } from './checkpoint';
import type { EncoderConfig } from './config';
import { type ProductName, productName, QUERY_KEY_VALUE } from './encoder-parameters';
import { uploadMatrix } from './upload-matrix';

/** y = x Wᵀ + b with W `[out, in]`, a frozen matrix, and b `[out]`. */
export interface FrozenLinear {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/** Queries, keys and values are side by side: `[3·hidden, hidden]`. */
export type FrozenLayer = Readonly<Record<ProductName, FrozenLinear>>;

/** A LayerNorm's pretrained values, both `[hidden]` (the embeddings': `[embedding size]`); tasks train copies of them. */
export interface LayerNormValues {
  readonly weight: Float32Array<ArrayBuffer>;
  readonly bias: Float32Array<ArrayBuffer>;
}

/** The encoder's frozen weights on the device, uploaded once and shared by all tasks. */
export interface FrozenEncoder {
  readonly config: EncoderConfig;
  readonly embeddings: EmbeddingTables;
  /** From the embedding size to the hidden size, where those differ. */
  readonly embeddingsProject: FrozenLinear | undefined;
  readonly layers: readonly FrozenLayer[];
  /** Absent where the checkpoint has none. */
  readonly pooler: FrozenLinear | undefined;
  /** By place: 'embeddings', 'layer.0.attention', 'layer.0.output'. */
  readonly layerNorms: ReadonlyMap<string, LayerNormValues>;
  /** Numbers in the encoder, LayerNorms and pooler included. */
  readonly parameterCount: number;
  /** What the weights take on the device. */
  readonly byteLength: number;
  /**
   * A pretrained weight, bias or table as the device computes with it, by the name that `encoder-parameters.ts` gives it. Throws
   * RangeError for another name.
   */
  read(name: string): Promise<Float32Array<ArrayBuffer>>;
  dispose(): void;
}

/** Slices of a table are multiples of this many rows, so that every storage's rows fill whole words. */
const ROW_MULTIPLE = 8;

export interface UploadOptions {
  /** How the products' weights and the word embeddings are kept; all else stays f32. Default 'f32'. */
  readonly weights?: WeightStorage | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Reads a checkpoint tensor by tensor and uploads it; nothing is kept on the host but the LayerNorms. */
export async function uploadEncoder(
  checkpoint: Checkpoint,
  backend: Backend,
  options: UploadOptions = {},
): Promise<FrozenEncoder> {
  const uploader = new Uploader(checkpoint, backend, options);
  try {
    return await uploader.encoder();
  } catch (error) {
    uploader.dispose();
    throw error;
  }
}

type Reader = () => Promise<Float32Array<ArrayBuffer>>;

class Uploader {
  readonly #checkpoint: Checkpoint;
  readonly #backend: Backend;
  readonly #signal: AbortSignal | undefined;
  readonly #storage: WeightStorage;
  readonly #buffers: DeviceBuffer[] = [];
  /** Of each weight, bias or table: what reads it back, piece by piece. */
  readonly #readers = new Map<string, Reader[]>();
  #parameterCount = 0;

  constructor(checkpoint: Checkpoint, backend: Backend, { weights = 'f32', signal }: UploadOptions) {
    this.#checkpoint = checkpoint;
    this.#backend = backend;
    this.#storage = weights;
    this.#signal = signal;
  }

  async encoder(): Promise<FrozenEncoder> {
    const { config, hasPooler, has } = this.#checkpoint;
    const layerNorms = new Map<string, LayerNormValues>();
    const embeddings = {
      word: await this.#wordEmbeddings(),
      // Without the rows that no token has, so that a token's position is its row everywhere.
      position: await this.#table(
        'embeddings.position.weight',
        'embeddings.position_embeddings.weight',
        config.positionOffset,
      ),
      type: has('embeddings.token_type_embeddings.weight')
        ? await this.#table('embeddings.type.weight', 'embeddings.token_type_embeddings.weight')
        : await this.#zeros('no token types', config.embeddingSize),
    };
    layerNorms.set('embeddings', await this.#layerNorm('embeddings.LayerNorm'));
    const embeddingsProject = has('embeddings_project.weight')
      ? await this.#linear('embeddings_project', ['embeddings_project'])
      : undefined;
    const layers: FrozenLayer[] = [];
    for (let layer = 0; layer < config.layers; layer++) {
      const prefix = `encoder.layer.${layer}`;
      const attention = QUERY_KEY_VALUE.map((name) => `${prefix}.attention.self.${name}`);
      const linear = (product: ProductName, names: readonly string[]) =>
        this.#linear(productName({ layer, product }), names);
      layers.push({
        'attention.query_key_value': await linear('attention.query_key_value', attention),
        'attention.output': await linear('attention.output', [`${prefix}.attention.output.dense`]),
        intermediate: await linear('intermediate', [`${prefix}.intermediate.dense`]),
        output: await linear('output', [`${prefix}.output.dense`]),
      });
      layerNorms.set(
        `layer.${layer}.attention`,
        await this.#layerNorm(`${prefix}.attention.output.LayerNorm`),
      );
      layerNorms.set(`layer.${layer}.output`, await this.#layerNorm(`${prefix}.output.LayerNorm`));
    }
    const pooler = hasPooler ? await this.#linear('pooler', ['pooler.dense']) : undefined;
    const parameterCount = this.#parameterCount;
    const byteLength = this.#buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);
    const read = (name: string) => this.#readBack(name);
    const dispose = () => this.dispose();
    return {
      config,
      embeddings,
      embeddingsProject,
      layers,
      pooler,
      layerNorms,
      parameterCount,
      byteLength,
      read,
      dispose,
    };
  }

  dispose(): void {
    for (const buffer of this.#buffers) buffer.dispose();
    this.#buffers.length = 0;
  }

  async #read(name: string): Promise<Float32Array<ArrayBuffer>> {
    this.#signal?.throwIfAborted();
    const values = await this.#checkpoint.read(name);
    this.#parameterCount += values.length;
    return values;
  }

  async #readBack(name: string): Promise<Float32Array<ArrayBuffer>> {
    const readers = this.#readers.get(name);
    if (readers === undefined) throw new RangeError(`the encoder has no ${name}`);
    const pieces: Float32Array<ArrayBuffer>[] = [];
    for (const read of readers) pieces.push(await read());
    const [first] = pieces;
    if (first !== undefined && pieces.length === 1) return first;
    const values = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let end = 0;
    for (const piece of pieces) {
      values.set(piece, end);
      end += piece.length;
    }
    return values;
  }

  /** Remembers how a part of what is called `name` is read back. */
  #remember(name: string, read: Reader): void {
    this.#readers.set(name, [...(this.#readers.get(name) ?? []), read]);
  }

  async #upload(label: string, parts: readonly Float32Array[]): Promise<DeviceBuffer> {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const buffer = await this.#backend.allocate(length * 4, label);
    this.#buffers.push(buffer);
    let offset = 0;
    for (const part of parts) {
      this.#backend.write(buffer, offset, part);
      offset += part.byteLength;
    }
    return buffer;
  }

  /** A small table in f32 from its row `firstRow` on: `[rows, columns]`. */
  async #table(name: string, stored: string, firstRow = 0): Promise<Tensor> {
    const columns = this.#checkpoint.shape(stored).at(-1) ?? 0;
    const values = (await this.#read(stored)).subarray(firstRow * columns);
    const buffer = await this.#upload(stored, [values]);
    this.#remember(name, () => this.#backend.read(buffer, values.length));
    return frozen(stored, buffer, values.length / columns, columns);
  }

  /** A table of one row of zeros: `[1, columns]`. */
  async #zeros(label: string, columns: number): Promise<Tensor> {
    return frozen(label, await this.#upload(label, [new Float32Array(columns)]), 1, columns);
  }

  /** Several `[rows, columns]` tensors below each other as one weight. */
  async #weight(name: string, names: readonly string[]): Promise<Tensor> {
    const label = names[0] ?? '';
    const columns = this.#checkpoint.shape(label).at(-1) ?? 0;
    const counts = names.map((name) => this.#checkpoint.shape(name)[0] ?? 0);
    const rows = counts.reduce((sum, count) => sum + count, 0);
    const values = new Float32Array(rows * columns);
    let end = 0;
    for (const stored of names) {
      const part = await this.#read(stored);
      values.set(part, end);
      end += part.length;
    }
    return this.#matrix(name, { label, rows, columns, use: 'product' }, values);
  }

  async #matrix(
    name: string,
    spec: Omit<FrozenMatrixSpec, 'storage'>,
    values: Float32Array<ArrayBuffer>,
  ): Promise<Tensor> {
    const uploaded = await uploadMatrix(this.#backend, { ...spec, storage: this.#storage }, values);
    this.#buffers.push(...uploaded.buffers);
    this.#remember(name, uploaded.read);
    return uploaded.tensor;
  }

  async #linear(name: string, names: readonly string[]): Promise<FrozenLinear> {
    const weight = await this.#weight(
      `${name}.weight`,
      names.map((stored) => `${stored}.weight`),
    );
    const parts: Float32Array[] = [];
    for (const stored of names) parts.push(await this.#read(`${stored}.bias`));
    const label = `${names[0]}.bias`;
    const outputs = parts.reduce((sum, part) => sum + part.length, 0);
    const bias = await this.#upload(label, parts);
    this.#remember(`${name}.bias`, () => this.#backend.read(bias, outputs));
    return { weight, bias: frozen(label, bias, 1, outputs) };
  }

  async #layerNorm(name: string): Promise<LayerNormValues> {
    return { weight: await this.#read(`${name}.weight`), bias: await this.#read(`${name}.bias`) };
  }

  async #wordEmbeddings(): Promise<WordSlice[]> {
    const name = 'embeddings.word_embeddings.weight';
    const { embeddingSize, vocabularySize } = this.#checkpoint.config;
    const values = await this.#read(name);
    const rowBytes = embeddingSize * BYTES_PER_ELEMENT[this.#storage];
    const rowsPerSlice = Math.floor(this.#backend.largestBinding / rowBytes / ROW_MULTIPLE) * ROW_MULTIPLE;
    const slices: WordSlice[] = [];
    for (let firstRow = 0; firstRow < vocabularySize; firstRow += rowsPerSlice) {
      const rows = Math.min(rowsPerSlice, vocabularySize - firstRow);
      const part = values.slice(firstRow * embeddingSize, (firstRow + rows) * embeddingSize);
      const spec = { label: name, rows, columns: embeddingSize, use: 'table' } as const;
      slices.push({ tensor: await this.#matrix('embeddings.word.weight', spec, part), firstRow });
    }
    return slices;
  }
}
