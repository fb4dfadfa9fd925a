import type { Backend } from '../backends/backend';
import type { BatchShape } from '../backends/kernel';
import type { DeviceBuffer, Schedule } from '../backends/schedule';
import { type EncoderTask, encode, pool } from '../models/bert';
import type { FrozenEncoder } from '../models/frozen-encoder';
import { uploadLayerNorms } from '../models/layer-norms';
import { frozenLinear } from '../ops/frozen_linear';
import { buildSchedule } from '../scheduler/build-schedule';
import { Tape, type Tensor } from '../scheduler/tape';
import type { EncodedExample } from './batches';
import { Inference, type InferenceOptions } from './inference';

/** The frozen encoder alone, without adapters: its pooled output. */
export class Embedder {
  readonly #inference: Inference;
  readonly #hiddenSize: number;
  readonly #buffers: readonly DeviceBuffer[];

  private constructor(backend: Backend, encoder: FrozenEncoder, parts: Parts) {
    this.#hiddenSize = encoder.config.hiddenSize;
    this.#buffers = parts.buffers;
    this.#inference = new Inference(backend, {
      columns: this.#hiddenSize,
      rows: 'sequences',
      schedule: (capacity) => embeddingSchedule(encoder, parts.layerNorms, capacity),
    });
  }

  static async create(backend: Backend, encoder: FrozenEncoder): Promise<Embedder> {
    const buffers: DeviceBuffer[] = [];
    const upload = async (values: Float32Array, label: string) => {
      const buffer = await backend.allocate(values.byteLength, label);
      buffers.push(buffer);
      backend.write(buffer, 0, values);
      return buffer;
    };
    try {
      const layerNorms = await uploadLayerNorms(encoder, upload, () => true);
      return new Embedder(backend, encoder, { layerNorms, buffers });
    } catch (error) {
      for (const buffer of buffers) buffer.dispose();
      throw error;
    }
  }

  /** `[hidden]` of each sequence, in their order. */
  async embed(
    sequences: readonly EncodedExample[],
    options: InferenceOptions,
  ): Promise<Float32Array<ArrayBuffer>[]> {
    const rows = await this.#inference.rows(sequences, options);
    const size = this.#hiddenSize;
    return sequences.map((_, index) => rows.slice(index * size, (index + 1) * size));
  }

  dispose(): void {
    this.#inference.dispose();
    for (const buffer of this.#buffers) buffer.dispose();
  }
}

interface Parts {
  readonly layerNorms: ReadonlyMap<string, Tensor>;
  readonly buffers: readonly DeviceBuffer[];
}

/** Output 'pooled' `[B, hidden]`. */
function embeddingSchedule(
  encoder: FrozenEncoder,
  layerNorms: ReadonlyMap<string, Tensor>,
  capacity: BatchShape,
): Schedule {
  const tape = new Tape();
  const layerNorm = (name: string): Tensor => {
    const tensor = layerNorms.get(name);
    if (tensor === undefined) throw new RangeError(`there is no ${name}`);
    return tensor;
  };
  const withoutTask: EncoderTask = {
    embeddings: () => encoder.embeddings,
    layerNorm: (place) => ({
      gamma: layerNorm(`${place}.layer_norm.weight`),
      beta: layerNorm(`${place}.layer_norm.bias`),
    }),
    linear: (_, x, { weight, bias }) => frozenLinear(tape, x, weight, bias),
    prefix: () => undefined,
    subLayer: (_, { input, projected, normalize }) => normalize(projected, input),
    dropout: () => ({ hidden: 0, attention: 0 }),
    enter: (_, hidden) => hidden,
  };
  const pooled = pool(tape, encoder, withoutTask, encode(tape, encoder, withoutTask, 'first tokens'));
  return buildSchedule('embedding', tape.forward(), { pooled }, capacity);
}
