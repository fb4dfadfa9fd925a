/** A trained task in memory, and its files in the layout of AdapterHub. */
import { OptionError } from '../errors';
import {
  ADAPTER_CONFIG,
  ADAPTER_WEIGHTS,
  type AdapterNonLinearity,
  adapterTensors,
  type BottleneckMethod,
  bottleneckConfig,
  flexibleHead,
  HEAD_CONFIG,
  HEAD_TYPES,
  HEAD_WEIGHTS,
  headTensors,
  LAYOUT_VERSION,
  type LayoutTensor,
  layerNormTensors,
  layersBeside,
  PLAIN_HEAD,
  readsTokens,
  TORCH_ADAPTER_WEIGHTS,
  TORCH_HEAD_WEIGHTS,
  takesPlainHead,
} from './adapterhub-layout';
import { type PythonValue, pythonJson } from './python-json';
import type { WeightsOptions } from './save-options';
import { FEWEST_LABELS, type TaskFiles } from './task';
import { writeWeights } from './write-weights';

/**
 * Bottleneck modules with their head and labels. The task's name is a part of the tensors' names, so it may not hold a dot. The
 * tensors: 'layer.{i}.{attention|output}.adapter.{down|up}.{weight|bias}', 'classifier.{weight|bias}', and with `layerNorms`
 * 'layer.{i}.{attention|output}.layer_norm.{weight|bias}' and 'embeddings.layer_norm.{weight|bias}': see `layerNormTensors`.
 */
export interface AdapterFiles extends TaskFiles {
  readonly method: BottleneckMethod;
  readonly bottleneck: number;
  readonly nonLinearity: AdapterNonLinearity;
  /** By which a module's output is multiplied: 1 but for parallel ones. */
  readonly scaling: number;
  /** Whether the backbone's LayerNorms were trained and are among `tensors`. */
  readonly layerNorms: boolean;
}

/**
 * The four files by name. The Python library `adapters` loads them with `use_safetensors=True`, or without where they are .bin.
 * Throws OptionError for a name or labels that the layout cannot hold or a number that f16 cannot, RangeError where a tensor is
 * missing or misshapen.
 */
export function writeAdapterHub(
  adapter: AdapterFiles,
  options: WeightsOptions = {},
): Record<string, Uint8Array<ArrayBuffer>> {
  checkName(adapter.name);
  const { family } = adapter;
  const labels = outputLabels(adapter);
  const isPlain = takesPlainHead(adapter);
  const stored = [
    ...adapterTensors(adapter.name, adapter),
    ...(adapter.layerNorms ? layerNormTensors(adapter) : []),
  ].map((tensor) => ({ ...tensor, storedName: family.prefix + tensor.storedName }));
  const headModule = isPlain ? PLAIN_HEAD : flexibleHead(adapter.name);
  const head = headTensors(adapter.hiddenSize, labels.length, headModule);
  const isBin = options.container === 'bin';
  const about = {
    hidden_size: adapter.hiddenSize,
    model_class: `${family.className}${isPlain ? 'ForSequenceClassification' : 'AdapterModel'}`,
    model_name: '',
    model_type: family.modelType,
    version: LAYOUT_VERSION,
  };
  return {
    [isBin ? TORCH_ADAPTER_WEIGHTS : ADAPTER_WEIGHTS]: pack(adapter, stored, options),
    [isBin ? TORCH_HEAD_WEIGHTS : HEAD_WEIGHTS]: pack(adapter, head, options),
    [ADAPTER_CONFIG]: encodeJson({
      ...about,
      config: bottleneckConfig(adapter, layersBeside(adapter.adapterLayers, adapter.layers)),
      name: adapter.name,
      graft: { layer_norms: adapter.layerNorms, settings: adapter.settings },
    }),
    [HEAD_CONFIG]: encodeJson({
      ...about,
      ...(isPlain ? plainHeadConfig(labels) : flexibleHeadConfig(adapter, labels)),
      graft: { labels: adapter.labels, task: adapter.taskKind },
    }),
  };
}

function plainHeadConfig(labels: readonly string[]) {
  return { config: null, label2id: numbered(labels), name: null, num_labels: labels.length };
}

function flexibleHeadConfig({ name, hasPooler, taskKind }: AdapterFiles, labels: readonly string[]) {
  const config = {
    activation_function: 'tanh',
    dropout_prob: null,
    head_type: HEAD_TYPES[taskKind],
    label2id: numbered(labels),
    layers: 1,
    num_labels: labels.length,
    // The library's heads over tokens do not know these.
    ...(readsTokens(taskKind) ? {} : { bias: true, use_pooler: hasPooler }),
  };
  return { config, name };
}

function numbered(labels: readonly string[]): Record<string, number> {
  return Object.fromEntries(labels.map((label, id) => [label, id]));
}

/** The library makes a module of this name: PyTorch allows neither a dot in it nor nothing at all. */
function checkName(name: string): void {
  if (name === '' || name.includes('.')) {
    throw new OptionError(
      'name',
      `${JSON.stringify(name)} cannot name an adapter in a file`,
      'Choose a name without dots',
    );
  }
}

/** A name for every output of the head. */
function outputLabels({ taskKind, labels }: AdapterFiles): readonly string[] {
  if (taskKind === 'regression') {
    // transformers' own name for the only output of a regression head.
    return ['LABEL_0'];
  }
  // Start and end, with transformers' names for them.
  if (taskKind === 'question-answering') return ['LABEL_0', 'LABEL_1'];
  const fewest = FEWEST_LABELS[taskKind];
  if (labels.length < fewest || new Set(labels).size !== labels.length) {
    throw new OptionError(
      'labels',
      `at least ${fewest === 1 ? 'one label' : 'two labels'}, each another, are needed`,
    );
  }
  return labels;
}

function pack(
  adapter: AdapterFiles,
  layout: readonly LayoutTensor[],
  options: WeightsOptions,
): Uint8Array<ArrayBuffer> {
  const tensors = layout.map(({ name, storedName, shape }) => {
    const tensor = adapter.tensors.get(name);
    if (tensor === undefined || tensor.shape.join() !== shape.join()) {
      throw new RangeError(
        `${name}: shape [${shape.join()}] is needed, found [${tensor?.shape.join() ?? ''}]`,
      );
    }
    return { name: storedName, shape, data: tensor.data };
  });
  return writeWeights(tensors, options);
}

function encodeJson(value: PythonValue): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(pythonJson(value));
}
