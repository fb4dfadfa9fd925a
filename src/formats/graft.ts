/** Graft's own layout, for methods that no other program's files know: two files, tensors under Graft's names. */
import { FileFormatError, UnsupportedModelError } from '../errors';
import type { FileSource, OpenOptions } from '../platform/files';
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS, TORCH_ADAPTER_WEIGHTS } from './adapterhub-layout';
import { isJsonObject, type JsonObject, show } from './json';
import { pythonJson } from './python-json';
import type { WeightsOptions } from './save-options';
import {
  type ConfigFile,
  FEWEST_LABELS,
  familyOf,
  requireFit,
  requireWeights,
  type TaskFiles,
  type TaskHost,
  type TaskTensor,
  taskBackbone,
} from './task';
import { readFiniteFloat32, type TensorFile } from './tensor-file';
import { writeWeights } from './write-weights';

/** Of the layout; another one is refused. */
const VERSION = 1;

export interface GraftFiles extends TaskFiles {
  /** 'lora', 'ia3', … */
  readonly method: string;
  /** The method's, as it was made. */
  readonly options: Readonly<Record<string, number | string | readonly string[]>>;
  /** Whether LayerNorms were trained along, where that is not the method's to say. */
  readonly layerNorms: boolean;
}

/** Whether an adapter_config.json is of this layout. */
export function isGraftLayout({ json }: ConfigFile): boolean {
  return isJsonObject(json.graft) && json.graft.method !== undefined;
}

/** adapter_config.json and adapter.safetensors, with the head among the tensors. Throws OptionError for a number that f16 cannot hold. */
export function writeGraft(
  files: GraftFiles,
  options: WeightsOptions = {},
): Record<string, Uint8Array<ArrayBuffer>> {
  const tensors = [...files.tensors].map(([name, { shape, data }]) => ({ name, shape, data }));
  const config = {
    hidden_size: files.hiddenSize,
    model_type: files.family.modelType,
    name: files.name,
    num_hidden_layers: files.layers,
    graft: {
      adapter_layers: files.adapterLayers,
      has_pooler: files.hasPooler,
      labels: files.labels,
      layer_norms: files.layerNorms,
      method: files.method,
      options: files.options,
      settings: files.settings,
      task: files.taskKind,
      version: VERSION,
    },
  };
  return {
    [options.container === 'bin' ? TORCH_ADAPTER_WEIGHTS : ADAPTER_WEIGHTS]: writeWeights(tensors, options),
    [ADAPTER_CONFIG]: new TextEncoder().encode(pythonJson(config)),
  };
}

/**
 * Reads what `writeGraft` wrote. Which tensors there must be is the method's to say: the caller compares.
 * Throws FileAccessError, FileFormatError, UnsupportedModelError for another version, AdapterMismatchError for another backbone's.
 */
export async function readGraft(
  source: FileSource,
  config: ConfigFile,
  host: TaskHost,
  options: OpenOptions,
): Promise<GraftFiles> {
  const about = parseConfig(config);
  const family = familyOf(config, host);
  requireFit(source, about.hiddenSize, about.layers, host);
  const weights = await requireWeights(source, [ADAPTER_WEIGHTS, TORCH_ADAPTER_WEIGHTS], options);
  try {
    const tensors = await readAll(weights);
    if (!('families' in host)) return { ...about, ...taskBackbone(host), tensors };
    const embeddingSize = tensors.get('embeddings.layer_norm.weight')?.shape[0] ?? about.hiddenSize;
    return { ...about, family, embeddingSize, tensors };
  } finally {
    await weights.close();
  }
}

async function readAll(weights: TensorFile): Promise<Map<string, TaskTensor>> {
  const tensors = new Map<string, TaskTensor>();
  for (const name of weights.names()) {
    const { shape = [] } = weights.info(name) ?? {};
    tensors.set(name, { shape, data: await readFiniteFloat32(weights, name) });
  }
  return tensors;
}

function parseConfig({ file, json }: ConfigFile): Omit<GraftFiles, 'tensors' | 'family' | 'embeddingSize'> {
  const graft: JsonObject = isJsonObject(json.graft) ? json.graft : {};
  if (graft.version !== VERSION) {
    throw new UnsupportedModelError(
      `${file}: version ${show(graft.version)} of Graft's layout; this release reads version ${VERSION}`,
    );
  }
  const need = <T extends JsonObject[string]>(
    place: string,
    value: JsonObject[string],
    is: (value: JsonObject[string]) => value is T,
    what: string,
  ): T => {
    if (is(value)) return value;
    throw new FileFormatError(file, place, `${what} was expected, found ${show(value)}`);
  };
  const taskKind = need('graft.task', graft.task, isTaskKind, listKinds());
  const labels = need('graft.labels', graft.labels, isTextList, 'a list of labels');
  return {
    name: need('name', json.name, isText, 'a name'),
    hiddenSize: need('hidden_size', json.hidden_size, isCount, 'a whole number'),
    layers: need('num_hidden_layers', json.num_hidden_layers, isCount, 'a whole number'),
    adapterLayers: need('graft.adapter_layers', graft.adapter_layers, isCountList, 'a list of layers'),
    method: need('graft.method', graft.method, isText, 'a method'),
    options: need('graft.options', graft.options, isOptions, 'an object of numbers, texts and lists'),
    // Files before this key are of BERTs, whose checkpoints mostly have one.
    hasPooler: graft.has_pooler !== false,
    layerNorms: need('graft.layer_norms', graft.layer_norms, isFlag, 'true or false'),
    taskKind,
    labels,
    settings: isJsonObject(graft.settings) ? graft.settings : {},
  };
}

type Value = JsonObject[string];

function isText(value: Value): value is string {
  return typeof value === 'string' && value !== '';
}

function isFlag(value: Value): value is boolean {
  return typeof value === 'boolean';
}

function isCount(value: Value): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isTaskKind(value: Value): value is TaskFiles['taskKind'] {
  return typeof value === 'string' && Object.hasOwn(FEWEST_LABELS, value);
}

function listKinds(): string {
  const kinds = Object.keys(FEWEST_LABELS).map((kind) => `"${kind}"`);
  return `${kinds.slice(0, -1).join(', ')} or ${kinds.at(-1)}`;
}

function isTextList(value: Value): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isCountList(value: Value): value is readonly number[] {
  return Array.isArray(value) && value.every(isCount);
}

function isOptions(value: Value): value is GraftFiles['options'] & JsonObject {
  return (
    isJsonObject(value) &&
    Object.values(value).every((item) => typeof item === 'number' || isText(item) || isTextList(item))
  );
}
