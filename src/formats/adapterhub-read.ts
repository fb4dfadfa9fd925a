/** Reading a task in the layout of AdapterHub: Graft's own files, and adapters that `adapters` trained. */
import { FileFormatError, UnsupportedModelError } from '../errors';
import type { FileSource, OpenOptions } from '../platform/files';
import type { AdapterFiles } from './adapterhub';
import {
  ADAPTER_NON_LINEARITIES,
  ADAPTER_WEIGHTS,
  type AdapterNonLinearity,
  adapterTensors,
  BOTTLENECK_METHODS,
  type BottleneckMethod,
  firstSite,
  flexibleHead,
  HEAD_CONFIG,
  HEAD_TYPES,
  HEAD_WEIGHTS,
  headTensors,
  layerNormTensors,
  NON_LINEARITIES,
  PLAIN_HEAD,
  readsTokens,
  STRUCTURES,
  TORCH_ADAPTER_WEIGHTS,
  TORCH_HEAD_WEIGHTS,
} from './adapterhub-layout';
import { isJsonObject, type JsonObject, show } from './json';
import type { PythonValue } from './python-json';
import {
  type ConfigFile,
  FEWEST_LABELS,
  familyOf,
  type LayoutFamily,
  readConfig,
  readTensors,
  requireFit,
  requireWeights,
  type TaskBackbone,
  type TaskHost,
  type TaskTensor,
} from './task';
import type { TensorFile } from './tensor-file';

/**
 * Throws FileAccessError where a file is missing, FileFormatError where one is damaged, UnsupportedModelError for another
 * method or head, AdapterMismatchError where the adapter was trained on a backbone of another width or depth.
 */
export async function readAdapterHub(
  source: FileSource,
  config: ConfigFile,
  host: TaskHost,
  options: OpenOptions = {},
): Promise<AdapterFiles> {
  const method = parseMethod(config, source, host);
  const weights = await requireWeights(source, [ADAPTER_WEIGHTS, TORCH_ADAPTER_WEIGHTS], options);
  try {
    const adapter = await readAdapter(weights, method, source, host);
    const head = await readHead(source, adapter, host, options);
    const { settings } = graftBlock(config);
    const { name, kind, nonLinearity, scaling } = method;
    return {
      name,
      method: kind,
      nonLinearity,
      scaling,
      ...adapter,
      ...head,
      settings: isJsonObject(settings) ? settings : {},
      tensors: new Map([...adapter.tensors, ...head.tensors]),
    };
  } finally {
    await weights.close();
  }
}

/** Graft's own part of a configuration file; empty in others' files. */
function graftBlock({ json }: ConfigFile): JsonObject {
  return isJsonObject(json.graft) ? json.graft : {};
}

interface Method {
  readonly family: LayoutFamily;
  readonly name: string;
  readonly kind: BottleneckMethod;
  readonly scaling: number;
  readonly nonLinearity: AdapterNonLinearity;
  /** Layers without adapters. */
  readonly leaveOut: readonly number[];
}

function parseMethod({ file, json }: ConfigFile, source: FileSource, host: TaskHost): Method {
  const { name, config, hidden_size: hiddenSize } = json;
  if (typeof name !== 'string' || name === '') {
    throw new FileFormatError(file, 'name', `a name was expected, found ${show(name)}`);
  }
  const family = familyOf({ file, json }, host);
  if (!isJsonObject(config)) {
    throw new FileFormatError(file, 'config', `an object was expected, found ${show(config)}`);
  }
  if (typeof hiddenSize === 'number') requireFit(source, hiddenSize, undefined, host);
  if (typeof config.architecture === 'string') {
    throw new UnsupportedModelError(
      `${file}: the method ${show(config.architecture)} is none of ${BOTTLENECK_METHODS.join(', ')}`,
    );
  }
  const kind = parseKind(file, config);
  return {
    family,
    name,
    kind,
    scaling: parseScaling(file, kind, config.scaling),
    nonLinearity: parseNonLinearity(file, json, config),
    leaveOut: parseLeaveOut(file, config.leave_out),
  };
}

/** The method whose structure the configuration does not contradict. Throws UnsupportedModelError where there is none. */
function parseKind(file: string, config: JsonObject): BottleneckMethod {
  const contradiction = (kind: BottleneckMethod) =>
    Object.entries(STRUCTURES[kind]).find(
      ([key, expected]) => config[key] !== undefined && !isSame(config[key], expected),
    )?.[0];
  const kind = BOTTLENECK_METHODS.find((method) => contradiction(method) === undefined);
  if (kind !== undefined) return kind;
  const key = contradiction('houlsby') ?? '';
  throw new UnsupportedModelError(
    `${file}: config.${key} is ${show(config[key])}`,
    'Graft runs DoubleSeqBnConfig, SeqBnConfig and ParBnConfig of adapters: Houlsby, Pfeiffer and parallel adapters',
  );
}

function parseScaling(file: string, kind: BottleneckMethod, found: JsonObject[string]): number {
  if (found === undefined) return 1;
  const isScale = typeof found === 'number' && Number.isFinite(found) && found !== 0;
  if (isScale && (found === 1 || kind === 'parallel')) return found;
  throw new UnsupportedModelError(
    `${file}: config.scaling is ${show(found)}`,
    'Graft runs parallel adapters with a number for it, others without',
  );
}

/** No list, `null` and an empty list all say "none". */
function parseLeaveOut(file: string, found: JsonObject[string]): readonly number[] {
  if (found === undefined || found === null) return [];
  const isLayer = (value: JsonObject[string]): value is number =>
    typeof value === 'number' && Number.isInteger(value) && value >= 0;
  if (Array.isArray(found) && found.every(isLayer)) return found;
  throw new FileFormatError(file, 'config.leave_out', `a list of layers was expected, found ${show(found)}`);
}

function isSame(found: JsonObject[string], expected: PythonValue): boolean {
  return JSON.stringify(found) === JSON.stringify(expected);
}

function parseNonLinearity(file: string, json: JsonObject, config: JsonObject): AdapterNonLinearity {
  const found = config.non_linearity;
  // Before files had a version, "gelu" was the tanh form and "gelu_orig" the one with erf.
  const isOld = json.version === undefined;
  const name = isOld && found === 'gelu' ? 'gelu_new' : isOld && found === 'gelu_orig' ? 'gelu' : found;
  for (const ours of ADAPTER_NON_LINEARITIES) {
    if (typeof name === 'string' && NON_LINEARITIES[ours].includes(name)) {
      return ours;
    }
  }
  const known = Object.values(NON_LINEARITIES).flat().join(', ');
  throw new UnsupportedModelError(
    `${file}: config.non_linearity is ${show(found)}`,
    `Graft runs adapters with one of ${known}`,
  );
}

type ReadAdapter = Omit<TaskBackbone, 'hasPooler'> &
  Pick<AdapterFiles, 'adapterLayers' | 'bottleneck' | 'layerNorms' | 'tensors'>;

async function readAdapter(
  weights: TensorFile,
  { family, name, kind, leaveOut }: Method,
  source: FileSource,
  host: TaskHost,
): Promise<ReadAdapter> {
  const prefix = weights.names().some((stored) => stored.startsWith(family.prefix)) ? family.prefix : '';
  const adapterLayers = findAdapterLayers(weights, `${prefix}${family.modules.layers}.`);
  const contradiction = adapterLayers.find((layer) => leaveOut.includes(layer));
  if (contradiction !== undefined) {
    throw new FileFormatError(
      weights.file,
      `layer ${contradiction}`,
      `it has adapters, and config.leave_out says that it has none`,
    );
  }
  const layers = countLayers([...adapterLayers, ...leaveOut]);
  const site = firstSite(family, adapterLayers[0] ?? 0, kind);
  const firstDown = `${prefix}${site}.${name}.adapter_down.0.weight`;
  const shape = weights.info(firstDown)?.shape;
  const [bottleneck, hiddenSize] = shape ?? [];
  if (bottleneck === undefined || bottleneck === 0 || hiddenSize === undefined || shape?.length !== 2) {
    throw new FileFormatError(
      weights.file,
      `tensor ${firstDown}`,
      `a matrix [bottleneck, hidden] was expected, found ${shape === undefined ? 'nothing' : show(shape)}`,
    );
  }
  requireFit(source, hiddenSize, layers, host);
  if (layers === 0) {
    throw new FileFormatError(
      weights.file,
      `layers ${adapterLayers.join()}`,
      'they and config.leave_out are not all layers of a backbone',
    );
  }
  const [ownEmbeddingSize = hiddenSize] = weights.info(`${prefix}embeddings.LayerNorm.weight`)?.shape ?? [];
  const embeddingSize = 'families' in host ? ownEmbeddingSize : host.embeddingSize;
  const norms = layerNormTensors({ family, hiddenSize, embeddingSize, layers, adapterLayers });
  const layerNorms = norms.some(({ storedName }) => weights.info(prefix + storedName) !== undefined);
  const layout = [
    ...adapterTensors(name, { family, hiddenSize, adapterLayers, method: kind, bottleneck }),
    ...(layerNorms ? norms : []),
  ].map((tensor) => ({ ...tensor, storedName: prefix + tensor.storedName }));
  const known = new Set(layout.map(({ storedName }) => storedName));
  const unknown = weights.names().find((stored) => !known.has(stored));
  if (unknown !== undefined) {
    throw new UnsupportedModelError(
      `${weights.file}: tensor ${show(unknown)} belongs to no ${kind} adapter named ${show(name)}`,
    );
  }
  const tensors = await readTensors(weights, layout);
  return { family, hiddenSize, embeddingSize, layers, adapterLayers, bottleneck, layerNorms, tensors };
}

/** The layers that have adapters, ascending. `layers` stands before a layer's number in a tensor's name. */
function findAdapterLayers(weights: TensorFile, layers: string): number[] {
  const numbers = new Set<number>();
  for (const stored of weights.names()) {
    if (!stored.startsWith(layers)) continue;
    const match = /^(\d+)\..*\.adapters\./.exec(stored.slice(layers.length));
    if (match !== null) numbers.add(Number(match[1]));
  }
  return [...numbers].sort((a, b) => a - b);
}

/** How many layers there are, with and without adapters; 0 where they are not numbered from 0 without a gap. */
function countLayers(layers: readonly number[]): number {
  const numbers = new Set(layers);
  const largest = layers.reduce((most, layer) => Math.max(most, layer), -1);
  return largest + 1 === numbers.size ? numbers.size : 0;
}

interface Head {
  readonly hasPooler: boolean;
  readonly taskKind: AdapterFiles['taskKind'];
  readonly labels: readonly string[];
  readonly tensors: Map<string, TaskTensor>;
}

async function readHead(
  source: FileSource,
  { family, hiddenSize }: ReadAdapter,
  host: TaskHost,
  options: OpenOptions,
): Promise<Head> {
  const config = await readConfig(source, HEAD_CONFIG, options);
  const { module, hasPooler } = findHead(config, family, 'families' in host ? undefined : host.hasPooler);
  const weights = await requireWeights(source, [HEAD_WEIGHTS, TORCH_HEAD_WEIGHTS], options);
  try {
    const shape = weights.info(`${module}.weight`)?.shape;
    const [outputs] = shape ?? [];
    if (outputs === undefined || outputs === 0 || shape?.length !== 2) {
      throw new FileFormatError(
        weights.file,
        `tensor ${module}.weight`,
        `a matrix [labels, hidden] was expected, found ${shape === undefined ? 'nothing' : show(shape)}`,
      );
    }
    const tensors = await readTensors(weights, headTensors(hiddenSize, outputs, module));
    return { hasPooler, ...parseLabels(config, outputs), tensors };
  } finally {
    await weights.close();
  }
}

/**
 * The name of the linear layer in the file, and whether it is on a pooler. `adapters` has it alone, or in a list after its dropout.
 * @param hasPooler of the backbone; `undefined` where none is at hand
 */
function findHead(
  { file, json }: ConfigFile,
  family: LayoutFamily,
  hasPooler: boolean | undefined,
): { readonly module: string; readonly hasPooler: boolean } {
  const { config, name } = json;
  if (config === null || config === undefined) {
    if (kindOf(json) === 'question-answering') return { module: 'qa_outputs', hasPooler: hasPooler ?? true };
    if (kindOf(json) === 'token-classification') return { module: PLAIN_HEAD, hasPooler: hasPooler ?? true };
    if (family.modelType === 'bert') return { module: PLAIN_HEAD, hasPooler: hasPooler ?? true };
    throw new UnsupportedModelError(
      `${file}: the head of ${show(json.model_class)} is not supported`,
      supportedHead(hasPooler ?? true),
    );
  }
  if (!isJsonObject(config)) {
    throw new FileFormatError(file, 'config', `an object or null was expected, found ${show(config)}`);
  }
  const { head_type: type, layers } = config;
  // A head over tokens fits a backbone with and without a pooler.
  const usesPooler = readsTokens(kindOf(json)) ? (hasPooler ?? true) : config.use_pooler;
  const isSupported = typeof usesPooler === 'boolean' && usesPooler === (hasPooler ?? usesPooler);
  const isKnown = Object.values<JsonObject[string]>(HEAD_TYPES).includes(type);
  if (!isKnown || layers !== 1 || !isSupported || typeof name !== 'string') {
    throw new UnsupportedModelError(
      `${file}: a head of type ${show(type)}, ${show(layers)} layers, use_pooler ${show(usesPooler)}`,
      supportedHead(hasPooler ?? true),
    );
  }
  return { module: flexibleHead(name), hasPooler: usesPooler };
}

function supportedHead(hasPooler: boolean): string {
  return hasPooler
    ? 'On this backbone Graft runs one linear layer on the pooler, as in BertForSequenceClassification or ' +
        'add_classification_head(name, layers=1, use_pooler=True)'
    : 'This backbone has no pooler: Graft runs one linear layer on the first token, as in ' +
        'add_classification_head(name, layers=1, use_pooler=False)';
}

/** By the type of head, or in transformers' own models by their class; a regression counts as a classification here. */
function kindOf({ config, model_class: modelClass }: JsonObject): AdapterFiles['taskKind'] {
  const type = isJsonObject(config) ? config.head_type : undefined;
  const name = typeof modelClass === 'string' && type === undefined ? modelClass : '';
  if (type === HEAD_TYPES['multi-label']) return 'multi-label';
  if (type === HEAD_TYPES['token-classification'] || name.endsWith('ForTokenClassification')) {
    return 'token-classification';
  }
  if (type === HEAD_TYPES['question-answering'] || name.endsWith('ForQuestionAnswering')) {
    return 'question-answering';
  }
  return 'classification';
}

function parseLabels(config: ConfigFile, outputs: number): Pick<Head, 'taskKind' | 'labels'> {
  const { task, labels: ownLabels } = graftBlock(config);
  const { label2id, config: inner } = config.json;
  const head = isJsonObject(inner) ? inner : {};
  const taskKind = kindOf(config.json);
  if (taskKind === 'question-answering') {
    if (outputs === 2) return { taskKind, labels: [] };
    throw new FileFormatError(
      config.file,
      'num_labels',
      `start and end are two outputs, the head has ${outputs}`,
    );
  }
  if (taskKind === 'classification' && (task === 'regression' || (task === undefined && outputs === 1))) {
    if (outputs !== 1) {
      throw new FileFormatError(
        config.file,
        'graft.task',
        `regression has one output, the head has ${outputs}`,
      );
    }
    return { taskKind: 'regression', labels: [] };
  }
  const labels = isStringList(ownLabels) ? ownLabels : labelsById(label2id ?? head.label2id, outputs);
  if (labels.length !== outputs || new Set(labels).size !== outputs || outputs < FEWEST_LABELS[taskKind]) {
    throw new FileFormatError(
      config.file,
      isStringList(ownLabels) ? 'graft.labels' : 'label2id',
      `${outputs} labels, each another, were expected, found ${show(labels)}`,
    );
  }
  return { taskKind, labels };
}

function isStringList(value: JsonObject[string]): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function labelsById(label2id: JsonObject[string], outputs: number): string[] {
  if (!isJsonObject(label2id)) {
    return Array.from({ length: outputs }, (_, id) => `LABEL_${id}`);
  }
  const byId = new Map(Object.entries(label2id).map(([label, id]) => [Number(id), label]));
  return Array.from({ length: outputs }, (_, id) => byId.get(id)).filter((label) => label !== undefined);
}
