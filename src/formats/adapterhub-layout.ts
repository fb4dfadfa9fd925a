/** Bottleneck adapters as the Python library `adapters` lays them out: file names, tensor names, configuration. */
import { PythonFloat, type PythonValue } from './python-json';
import type { LayoutFamily, SavedKind, TaskBackbone, TaskFiles } from './task';

export const ADAPTER_CONFIG = 'adapter_config.json';
export const ADAPTER_WEIGHTS = 'adapter.safetensors';
export const TORCH_ADAPTER_WEIGHTS = 'pytorch_adapter.bin';
export const HEAD_CONFIG = 'head_config.json';
export const HEAD_WEIGHTS = 'model_head.safetensors';
export const TORCH_HEAD_WEIGHTS = 'pytorch_model_head.bin';

/** The version of the layout, as that library names itself. Without it, it reads "gelu" as the tanh form. */
export const LAYOUT_VERSION = 'adapters.1.2.0';

export const ADAPTER_NON_LINEARITIES = ['gelu', 'gelu_tanh', 'relu', 'swish'] as const;
export type AdapterNonLinearity = (typeof ADAPTER_NON_LINEARITIES)[number];

/** What the library calls each; the first is written, all are read. They are transformers' names of one function. */
export const NON_LINEARITIES: Readonly<Record<AdapterNonLinearity, readonly string[]>> = {
  gelu: ['gelu', 'gelu_python'],
  gelu_tanh: ['gelu_new', 'gelu_pytorch_tanh', 'gelu_python_tanh', 'gelu_fast'],
  relu: ['relu'],
  swish: ['swish', 'silu'],
};

/** Where the methods of this layout have their modules, and what the library calls them. */
export const BOTTLENECK_METHODS = ['houlsby', 'pfeiffer', 'parallel'] as const;
export type BottleneckMethod = (typeof BOTTLENECK_METHODS)[number];

export function isBottleneckMethod(name: string): name is BottleneckMethod {
  return BOTTLENECK_METHODS.some((method) => method === name);
}

export interface LayoutTensor {
  /** Graft's: 'layer.0.attention.adapter.down.weight'. */
  readonly name: string;
  /** In the file, after the family's prefix, which is optional. */
  readonly storedName: string;
  /** PyTorch's order: [out, in]. */
  readonly shape: readonly number[];
}

const SITES = ['attention', 'output'] as const;
type Site = (typeof SITES)[number];

/** The sites that have modules: both, or that of the feed-forward sub-layer. */
function sitesOf(method: BottleneckMethod): readonly Site[] {
  return method === 'houlsby' ? SITES : SITES.slice(1);
}

/** The modules' tensors, layer by layer. */
export function adapterTensors(
  adapterName: string,
  sizes: Pick<TaskBackbone, 'family' | 'hiddenSize'> & {
    /** Ascending, counted from 0. */
    readonly adapterLayers: readonly number[];
    readonly method: BottleneckMethod;
    readonly bottleneck: number;
  },
): LayoutTensor[] {
  const { family, hiddenSize, bottleneck } = sizes;
  return eachSite(family, sizes.adapterLayers, sitesOf(sizes.method)).flatMap(({ name, adapters }) => {
    const ours = `${name}.adapter`;
    const theirs = `${adapters}.${adapterName}`;
    return [
      tensor(`${ours}.down.weight`, `${theirs}.adapter_down.0.weight`, [bottleneck, hiddenSize]),
      tensor(`${ours}.down.bias`, `${theirs}.adapter_down.0.bias`, [bottleneck]),
      tensor(`${ours}.up.weight`, `${theirs}.adapter_up.weight`, [hiddenSize, bottleneck]),
      tensor(`${ours}.up.bias`, `${theirs}.adapter_up.bias`, [hiddenSize]),
    ];
  });
}

/**
 * The LayerNorms of the encoder from the lowest adapter's layer up; where that is layer 0, the embeddings' too. The library
 * neither trains nor saves them, but loads them where they are there.
 */
export function layerNormTensors(
  sizes: Omit<TaskBackbone, 'hasPooler'> & { readonly adapterLayers: readonly number[] },
): LayoutTensor[] {
  const { hiddenSize, embeddingSize } = sizes;
  const [lowest = 0] = sizes.adapterLayers;
  const embeddings =
    lowest === 0 ? [{ name: 'embeddings', layerNorm: 'embeddings.LayerNorm', size: embeddingSize }] : [];
  const above = Array.from({ length: sizes.layers - lowest }, (_, index) => lowest + index);
  const sites = eachSite(sizes.family, above, SITES).map((site) => ({ ...site, size: hiddenSize }));
  return [...embeddings, ...sites].flatMap(({ name, layerNorm, size }) =>
    ['weight', 'bias'].map((part) => tensor(`${name}.layer_norm.${part}`, `${layerNorm}.${part}`, [size])),
  );
}

/** Of BertForSequenceClassification: the head's name where it is on the pooler's output. */
export const PLAIN_HEAD = 'classifier';

/** The head's name in the library's own models, as RobertaAdapterModel: `add_classification_head(name, layers=1)`, after its dropout. */
export function flexibleHead(name: string): string {
  return `heads.${name}.1`;
}

/**
 * Whether a head is written as that of BertForSequenceClassification, which has a pooler always. The …ForSequenceClassification of
 * other families have heads of two layers; other kinds of heads the library knows by their type alone.
 */
export function takesPlainHead({
  family,
  hasPooler,
  taskKind,
}: Pick<TaskFiles, 'family' | 'hasPooler' | 'taskKind'>): boolean {
  return family.modelType === 'bert' && hasPooler && ['classification', 'regression'].includes(taskKind);
}

/** What the library calls its own heads of one linear layer. */
export const HEAD_TYPES = {
  classification: 'classification',
  'multi-label': 'multilabel_classification',
  // With one label its loss is the squared error.
  regression: 'classification',
  'token-classification': 'tagging',
  'question-answering': 'question_answering',
} as const satisfies Record<SavedKind, string>;

/** Whether a head reads every token's hidden state: it has nothing to do with a pooler. */
export function readsTokens(kind: SavedKind): boolean {
  return kind === 'token-classification' || kind === 'question-answering';
}

/** The head: a linear layer. `module` is its name in the file. */
export function headTensors(hiddenSize: number, outputs: number, module: string): LayoutTensor[] {
  return [
    tensor('classifier.weight', `${module}.weight`, [outputs, hiddenSize]),
    tensor('classifier.bias', `${module}.bias`, [outputs]),
  ];
}

/** Where the first module of a layer is in the file; behind it come a dot and the adapter's name. */
export function firstSite(family: LayoutFamily, layer: number, method: BottleneckMethod): string {
  return eachSite(family, [layer], sitesOf(method))[0]?.adapters ?? '';
}

function eachSite({ modules }: LayoutFamily, layers: readonly number[], sites: readonly Site[]) {
  return layers.flatMap((layer) =>
    sites.map((site) => ({
      name: `layer.${layer}.${site}`,
      adapters: `${modules.layers}.${layer}.${modules[`${site}Adapters`]}`,
      layerNorm: `${modules.layers}.${layer}.${modules[`${site}LayerNorm`]}`,
    })),
  );
}

/** The layers of a backbone that are not among `layers`, ascending. */
export function layersBeside(layers: readonly number[], all: number): number[] {
  return Array.from({ length: all }, (_, layer) => layer).filter((layer) => !layers.includes(layer));
}

function tensor(name: string, storedName: string, shape: readonly number[]): LayoutTensor {
  return { name, storedName, shape };
}

/**
 * The library computes the bottleneck as int(hidden // reduction_factor). Where hidden / m is not exact in binary, that
 * may come out as m - 1; the factor of m + 1/2 is safely inside.
 */
export function reductionFactor(hiddenSize: number, bottleneck: number): PythonValue {
  const factor = hiddenSize / bottleneck;
  const isExact = Number.isInteger(Math.log2(bottleneck / greatestCommonDivisor(hiddenSize, bottleneck)));
  if (!isExact) {
    return new PythonFloat(hiddenSize / (bottleneck + 0.5));
  }
  return Number.isInteger(factor) ? factor : new PythonFloat(factor);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** What decides how a module computes, beside its sizes, non-linearity and scale: here of Houlsby's. */
const HOULSBY_STRUCTURE: Readonly<Record<string, PythonValue>> = {
  adapter_residual_before_ln: false,
  cross_adapter: false,
  inv_adapter: null,
  is_parallel: false,
  ln_after: false,
  ln_before: false,
  mh_adapter: true,
  original_ln_after: true,
  original_ln_before: false,
  output_adapter: true,
  phm_layer: false,
  residual_before_ln: true,
  use_gating: false,
};

/** The library's DoubleSeqBnConfig, SeqBnConfig and ParBnConfig. A file that differs from all of them is another method. */
export const STRUCTURES: Readonly<Record<BottleneckMethod, Readonly<Record<string, PythonValue>>>> = {
  houlsby: HOULSBY_STRUCTURE,
  pfeiffer: { ...HOULSBY_STRUCTURE, mh_adapter: false, original_ln_before: true },
  parallel: { ...HOULSBY_STRUCTURE, mh_adapter: false, is_parallel: true },
};

/** The rest of what the library writes: of use in training, or to methods that are switched off. */
const DEFAULTS: Readonly<Record<string, PythonValue>> = {
  dropout: new PythonFloat(0),
  factorized_phm_W: true,
  factorized_phm_rule: false,
  hypercomplex_nonlinearity: 'glorot-uniform',
  init_weights: 'bert',
  init_weights_seed: null,
  inv_adapter_reduction_factor: null,
  learn_phm: true,
  phm_bias: true,
  phm_c_init: 'normal',
  phm_dim: 4,
  phm_init_range: 0.0001,
  phm_rank: 1,
  shared_W_phm: false,
  shared_phm_rule: true,
  stochastic_depth: new PythonFloat(0),
};

/** `config` of adapter_config.json. */
export function bottleneckConfig(
  adapter: {
    readonly method: BottleneckMethod;
    readonly hiddenSize: number;
    readonly bottleneck: number;
    readonly nonLinearity: AdapterNonLinearity;
    readonly scaling: number;
  },
  leaveOut: readonly number[],
): Readonly<Record<string, PythonValue>> {
  const { method, hiddenSize, bottleneck, nonLinearity, scaling } = adapter;
  return {
    ...STRUCTURES[method],
    ...DEFAULTS,
    ...(method === 'parallel' ? { init_weights: 'mam_adapter' } : {}),
    leave_out: leaveOut,
    non_linearity: NON_LINEARITIES[nonLinearity][0] ?? nonLinearity,
    reduction_factor: reductionFactor(hiddenSize, bottleneck),
    // The library asks for a float and refuses 1.
    scaling: new PythonFloat(scaling),
  };
}
