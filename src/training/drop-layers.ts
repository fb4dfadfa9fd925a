/** AdapterDrop: predictions without the adapters of the lowest layers. Rücklé et al. 2021, arXiv 2010.11918. */
import type { Backend } from '../backends/backend';
import type { DeviceBuffer } from '../backends/schedule';
import { OptionError } from '../errors';
import type { EncoderConfig } from '../models/config';
import type { FrozenEncoder } from '../models/frozen-encoder';
import { uploadLayerNorms } from '../models/layer-norms';
import type { Tensor } from '../scheduler/tape';
import type { RecordedTask } from './record-task';
import type { TaskSpec } from './task-spec';

/** Throws OptionError for a number of layers that the encoder does not have, or a method that adds nothing to them. */
export function checkDropLayers(
  layers: number,
  { adapter, frozenLayers }: TaskSpec,
  config: Pick<EncoderConfig, 'layers'>,
): void {
  if (!Number.isInteger(layers) || layers < 0 || layers > config.layers) {
    throw new OptionError(
      'dropLayers',
      `${layers} is not a whole number from 0 to ${config.layers}, the backbone's layers`,
    );
  }
  if (layers > frozenLayers && adapter.attach === undefined) {
    throw new OptionError(
      'dropLayers',
      `the method ${adapter.kind} has no adapters to leave out`,
      'Bottleneck adapters, LoRA, (IA)³ and prefixes can be left out layer by layer',
    );
  }
}

/** The backbone's own LayerNorms on the device, for layers that run without what a task trains. Uploaded when first asked for. */
export class PretrainedLayerNorms {
  readonly #backend: Backend;
  readonly #encoder: FrozenEncoder;
  readonly #buffers: DeviceBuffer[] = [];
  #tensors: Promise<ReadonlyMap<string, Tensor>> | undefined;

  constructor(backend: Backend, encoder: FrozenEncoder) {
    this.#backend = backend;
    this.#encoder = encoder;
  }

  /** The task with its lowest `layers` layers, and the embeddings, as the backbone has them. */
  async without(layers: number, task: RecordedTask): Promise<RecordedTask> {
    if (layers === 0) return task;
    return { ...task, droppedLayers: layers, frozenLayerNorms: await this.#load() };
  }

  dispose(): void {
    for (const buffer of this.#buffers.splice(0)) buffer.dispose();
    this.#tensors = undefined;
  }

  #load(): Promise<ReadonlyMap<string, Tensor>> {
    this.#tensors ??= this.#upload().catch((error: unknown) => {
      this.dispose();
      throw error;
    });
    return this.#tensors;
  }

  #upload(): Promise<ReadonlyMap<string, Tensor>> {
    const upload = async (values: Float32Array, label: string) => {
      const buffer = await this.#backend.allocate(values.byteLength, label);
      this.#buffers.push(buffer);
      this.#backend.write(buffer, 0, values);
      return buffer;
    };
    return uploadLayerNorms(this.#encoder, upload, () => true);
  }
}
