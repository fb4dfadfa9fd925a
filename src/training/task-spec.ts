import type { AdapterMethod, LayerNormChoice } from '../adapters/method';
import { OptionError } from '../errors';
import type { EncoderConfig } from '../models/config';
import type { FrozenEncoder } from '../models/frozen-encoder';
import type { ParameterLayout, ParameterSpec } from '../scheduler/parameters';
import { makeHead } from './heads';
import type { Head } from './heads/head';
import { Random } from './random';
import type { TaskKind } from './types';

/** What a task is. */
export interface TaskOptions {
  /** Names the adapter in its files. Default 'task'. */
  readonly name?: string;
  /** Default 'classification'. */
  readonly kind?: TaskKind;
  /** At least two for a classification or token classification task, one for a multi-label task, none for others. */
  readonly labels?: readonly string[];
  /** What is trained: `houlsby()`, `lora()`, … */
  readonly adapter: AdapterMethod;
  /**
   * The encoder layers that are adapted, counted from 0; default all. Nothing is trained below the lowest of them. Those
   * lower layers are a fixed feature extractor: they run without dropout in training too, so that their output can be
   * kept and used again (`prefixCache` in TrainingOptions). Some methods choose the layers themselves.
   */
  readonly adapterLayers?: readonly number[] | undefined;
  /**
   * Which of the backbone's LayerNorms are trained along. Default: as the method's paper has it; with `adapterLayers` those from
   * the lowest adapted layer up. Of some methods the choice is a part.
   */
  readonly layerNorm?: 'all' | 'none' | undefined;
  /**
   * In training: 'auto' (default) takes the checkpoint's probabilities, a number replaces all of them. Layers below the
   * lowest adapter have none.
   */
  readonly dropout?: number | 'auto';
  /**
   * Most tokens of a text or pair, special tokens included; longer ones are cut, lists of words and contexts of questions split.
   * Default 128, for question answering 384.
   */
  readonly maxLength?: number | undefined;
  /** Of the initial values. Default 0. */
  readonly seed?: number;
}

/** A task's options with every default filled in. */
export interface TaskSpec {
  readonly name: string;
  readonly kind: TaskKind;
  readonly labels: readonly string[];
  readonly adapter: AdapterMethod;
  /** Ascending; empty where the head alone is trained. */
  readonly adapterLayers: readonly number[];
  /**
   * k: the lowest of `adapterLayers`, or how many layers there are. The embeddings and the layers 0 to k - 1 hold nothing
   * trainable where it is not 0.
   */
  readonly frozenLayers: number;
  readonly layerNorm: LayerNormChoice;
  readonly dropout: { readonly hidden: number; readonly attention: number; readonly classifier: number };
  readonly maxLength: number;
  /** What stands on the encoder. */
  readonly head: Head;
}

/** Standard deviation of the head's initial weights: BERT's `initializer_range` in the authors' code. */
const HEAD_DEVIATION = 0.02;

/** [CLS], [SEP], [SEP] and one token of text. */
const SHORTEST_MAX_LENGTH = 4;

/** Throws OptionError for options that make no task on this encoder. */
export function resolveTask(options: TaskOptions, { config }: Pick<FrozenEncoder, 'config'>): TaskSpec {
  const { name = 'task', kind = 'classification', labels = [], adapter, dropout = 'auto' } = options;
  const head = makeHead(kind, labels);
  const maxLength = resolveMaxLength(options.maxLength, config, head.defaultMaxLength);
  if (dropout !== 'auto' && !(dropout >= 0 && dropout < 1)) {
    throw new OptionError('dropout', `${dropout} is not a probability from 0 to below 1`);
  }
  const adapterLayers = resolveLayers(options.adapterLayers, adapter, config.layers);
  const frozenLayers = adapterLayers[0] ?? config.layers;
  const layerNorm = options.layerNorm ?? adapter.layerNorm;
  if (layerNorm !== adapter.layerNorm && !adapter.canChooseLayerNorm) {
    throw new OptionError(
      'layerNorm',
      `the method ${adapter.kind} decides which are trained`,
      'Leave it out',
    );
  }
  return {
    name,
    kind,
    labels,
    adapter,
    adapterLayers,
    frozenLayers,
    layerNorm,
    dropout:
      dropout === 'auto'
        ? {
            hidden: config.hiddenDropout,
            attention: config.attentionDropout,
            classifier: config.classifierDropout,
          }
        : { hidden: dropout, attention: dropout, classifier: dropout },
    maxLength,
    head,
  };
}

/** Most tokens of a sequence; by default 128, or what the backbone has positions for. Throws OptionError. */
export function resolveMaxLength(
  given: number | undefined,
  { maxPositions }: Pick<EncoderConfig, 'maxPositions'>,
  byDefault = 128,
): number {
  const maxLength = given ?? Math.min(byDefault, maxPositions);
  if (!Number.isInteger(maxLength) || maxLength < SHORTEST_MAX_LENGTH || maxLength > maxPositions) {
    const range = `${SHORTEST_MAX_LENGTH} to ${maxPositions}, the backbone's positions`;
    throw new OptionError('maxLength', `${maxLength} is not a whole number from ${range}`);
  }
  return maxLength;
}

/** In ascending order. Throws OptionError. */
function resolveLayers(
  given: readonly number[] | undefined,
  adapter: AdapterMethod,
  layers: number,
): readonly number[] {
  if (given === undefined) return adapter.layers(layers);
  if (!adapter.canChooseLayers) {
    throw new OptionError('adapterLayers', `the method ${adapter.kind} chooses its layers`, 'Leave it out');
  }
  if (given.length === 0) {
    throw new OptionError('adapterLayers', 'no layer is given', 'Leave it out for adapters in all layers');
  }
  for (const layer of given) {
    if (!Number.isInteger(layer) || layer < 0 || layer >= layers) {
      const range = `0 to ${layers - 1}: it has ${layers} of them, counted from 0`;
      throw new OptionError('adapterLayers', `${layer} is no layer of the backbone`, `Choose from ${range}`);
    }
  }
  const ascending = [...given].sort((a, b) => a - b);
  const twice = ascending.find((layer, index) => layer === ascending[index - 1]);
  if (twice !== undefined) throw new OptionError('adapterLayers', `layer ${twice} is there twice`);
  return ascending;
}

/** Whether what is named 'embeddings…', 'layer.0.attention…', … lies in no frozen layer: of LayerNorms, those that are trained. */
export function isAbovePrefix(place: string, frozenLayers: number): boolean {
  return frozenLayers === 0 || Number(/^layer\.(\d+)\./.exec(place)?.[1] ?? -1) >= frozenLayers;
}

const LAYER_NORM_PARTS = { all: ['weight', 'bias'], biases: ['bias'], none: [] } as const;

/** The task's trainable parameters: the method's, LayerNorms (from their pretrained values), head. */
export function taskParameters(spec: TaskSpec, encoder: FrozenEncoder, seed: number): ParameterSpec[] {
  const initializer = {
    truncatedNormal: (parameter: string, length: number, sigma: number) => {
      const random = new Random(seed, `initial ${parameter}`);
      return Float32Array.from({ length }, () => random.truncatedNormal(sigma));
    },
    uniform: (parameter: string, length: number, bound: number) => {
      const random = new Random(seed, `initial ${parameter}`);
      return Float32Array.from({ length }, () => bound * (2 * random.uniform() - 1));
    },
  };
  const { hiddenSize } = encoder.config;
  const { outputs } = spec.head;
  const layerNorms = [...encoder.layerNorms].filter(([place]) => isAbovePrefix(place, spec.frozenLayers));
  return [
    ...spec.adapter.parameters({
      config: encoder.config,
      hasPooler: encoder.pooler !== undefined,
      layers: spec.adapterLayers,
      initializer,
      pretrained: (name) => encoder.read(name),
    }),
    ...layerNorms.flatMap(([place, values]) =>
      LAYER_NORM_PARTS[spec.layerNorm].map(
        (part): ParameterSpec => ({
          name: `${place}.layer_norm.${part}`,
          shape: [values[part].length],
          decay: false,
          initialize: () => values[part],
        }),
      ),
    ),
    {
      name: 'classifier.weight',
      shape: [outputs, hiddenSize],
      decay: true,
      initialize: () =>
        initializer.truncatedNormal('classifier.weight', outputs * hiddenSize, HEAD_DEVIATION),
    },
    {
      name: 'classifier.bias',
      shape: [outputs],
      decay: false,
      initialize: () => new Float32Array(outputs),
    },
  ];
}

/** A new arena with the parameters' initial values. */
export async function initialArena(
  specs: readonly ParameterSpec[],
  layout: ParameterLayout,
): Promise<Float32Array<ArrayBuffer>> {
  const arena = new Float32Array(layout.size);
  for (const { name, initialize } of specs) layout.slice(arena, name).set(await initialize());
  return arena;
}
