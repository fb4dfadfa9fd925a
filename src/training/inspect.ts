import { AdapterMismatchError, FileAccessError, UnsupportedModelError } from '../errors';
import {
  ADAPTER_CONFIG,
  ADAPTER_WEIGHTS,
  HEAD_WEIGHTS,
  TORCH_ADAPTER_WEIGHTS,
  TORCH_HEAD_WEIGHTS,
} from '../formats/adapterhub-layout';
import { isGraftLayout } from '../formats/graft';
import type { JsonValue } from '../formats/json';
import { openTensorFile, openWeights } from '../formats/open-weights';
import { PEFT_WEIGHTS, TORCH_PEFT_WEIGHTS } from '../formats/peft-layout';
import { isPeftLayout } from '../formats/peft-read';
import { readConfig } from '../formats/task';
import { readTaskFiles } from '../formats/task-layouts';
import { elementCount, isFloatType, type TensorFile } from '../formats/tensor-file';
import { WEIGHTS } from '../models/checkpoint';
import { parseEncoderConfig } from '../models/config';
import { FAMILIES } from '../models/families';
import { readTokenizerFiles } from '../models/tokenizer-files';
import { resolveBackboneSource } from '../platform/embedded';
import { type FileSource, type OpenOptions, type RandomAccessFile, readFile } from '../platform/files';
import type { SourceLike } from '../platform/resolve';
import { decodeState, isState } from './state';

/** A tensor in a file, not read. */
export interface InspectedTensor {
  /** The file that holds it, or the index of its shards. */
  readonly file: string;
  /** As the file names it. */
  readonly name: string;
  /** In safetensors' names: 'F32', 'F16', 'I64' … */
  readonly dtype: string;
  /** PyTorch's order: a linear layer's weight is [out, in]. */
  readonly shape: readonly number[];
}

/** What some files hold. */
export interface Inspection {
  /** What it is; 'tensors' where nothing says what they are for. */
  readonly kind: 'adapter' | 'checkpoint' | 'tensors' | 'training state';
  /** The directory, URL, hub id or file. */
  readonly description: string;
  /** What there is to know beside the tensors: method, sizes, labels, … */
  readonly facts: Readonly<Record<string, JsonValue>>;
  /** Empty for a training state, which holds numbers in a row. */
  readonly tensors: readonly InspectedTensor[];
  /** Numbers in them, those that are no floats not counted. */
  readonly parameters: number;
  /** Why Graft cannot run what is sound as a file; absent where it can. */
  readonly problem?: string | undefined;
}

/** What `inspectFiles` takes beside the source. */
export interface InspectOptions extends OpenOptions {
  /** The name of one file in the source: that alone is looked at. */
  readonly file?: string | undefined;
}

const TRAINING_STATE = 'checkpoint.graft';

/**
 * Says what a directory, or one file in it, holds: an adapter, a checkpoint, tensors, a training state. Reads headers and
 * configurations, of adapters the tensors, too. Needs no device.
 *
 * @throws FileAccessError where there is nothing that Graft knows, FileFormatError for a damaged file
 */
export async function inspectFiles(source: SourceLike, options: InspectOptions = {}): Promise<Inspection> {
  const files = await resolveBackboneSource(source);
  const { file: name, ...opening } = options;
  if (name !== undefined) return inspectFile(files, name, opening);
  if (await has(files, ADAPTER_CONFIG, opening)) return inspectAdapter(files, opening);
  if (await has(files, 'config.json', opening)) return inspectCheckpoint(files, opening);
  if (await has(files, TRAINING_STATE, opening)) return inspectFile(files, TRAINING_STATE, opening);
  const tensors = await listAll(files, WEIGHTS, opening);
  if (tensors.length === 0) {
    throw new FileAccessError(
      files.description,
      'it has neither an adapter nor a checkpoint nor a training state',
      `Those have ${ADAPTER_CONFIG}, config.json and ${TRAINING_STATE}; or name a file`,
    );
  }
  return { kind: 'tensors', description: files.description, facts: {}, ...counted(tensors) };
}

async function inspectFile(source: FileSource, name: string, options: OpenOptions): Promise<Inspection> {
  const file = await source.open(name, options);
  if (file === undefined) throw new FileAccessError(name, `not in ${source.description}`);
  const state = await readIfState(file);
  if (state !== undefined) return state;
  const tensors = await openTensorFile(name, file);
  try {
    return {
      kind: 'tensors',
      description: file.name,
      facts: { bytes: file.size },
      ...counted(listTensors(tensors)),
    };
  } finally {
    await tensors.close();
  }
}

/** Closes the file where it holds a state. */
async function readIfState(file: RandomAccessFile): Promise<Inspection | undefined> {
  if (!isState(await file.read(0, Math.min(file.size, 8)))) return undefined;
  try {
    const { progress, conditions, parameters } = decodeState(await file.read(0, file.size));
    const { step, epoch, bestEpoch, bestScore } = progress;
    return {
      kind: 'training state',
      description: file.name,
      facts: { step, epoch, bestEpoch, bestScore, ...conditions },
      tensors: [],
      parameters: parameters.length,
    };
  } finally {
    await file.close();
  }
}

async function inspectAdapter(source: FileSource, options: OpenOptions): Promise<Inspection> {
  const config = await readConfig(source, ADAPTER_CONFIG, options);
  const format = isPeftLayout(config) ? 'peft' : isGraftLayout(config) ? 'graft' : 'adapterhub';
  const weightFiles =
    format === 'peft'
      ? [[PEFT_WEIGHTS, TORCH_PEFT_WEIGHTS]]
      : [
          [ADAPTER_WEIGHTS, TORCH_ADAPTER_WEIGHTS],
          [HEAD_WEIGHTS, TORCH_HEAD_WEIGHTS],
        ];
  const lists = [];
  for (const names of weightFiles) lists.push(await listAll(source, names, options));
  const { facts, problem } = await describeOr(async () => {
    const task = await readTaskFiles(source, { families: Object.values(FAMILIES) }, options);
    return {
      method: task.method,
      ...task.options,
      task: task.taskKind,
      labels: task.labels,
      modelType: task.family.modelType,
      hiddenSize: task.hiddenSize,
      layers: task.layers,
      adapterLayers: task.adapterLayers,
      layerNorms: task.layerNorms,
      name: task.name,
      ...task.settings,
    };
  });
  return {
    kind: 'adapter',
    description: source.description,
    facts: { format, ...facts },
    ...counted(lists.flat()),
    problem,
  };
}

async function inspectCheckpoint(source: FileSource, options: OpenOptions): Promise<Inspection> {
  const tensors = await listAll(source, WEIGHTS, options);
  const config = await readFile(source, 'config.json', options);
  const { facts, problem } = await describeOr(async () => ({
    ...(config === undefined ? {} : parseEncoderConfig(config.bytes, config.name)),
  }));
  const tokenizer = await describeOr(async () => {
    const { format, tokens, lowercase } = await readTokenizerFiles(source, options);
    return { tokenizer: format, tokens, lowercase };
  });
  return {
    kind: 'checkpoint',
    description: source.description,
    facts: { ...facts, ...tokenizer.facts },
    ...counted(tensors),
    problem: problem ?? tokenizer.problem,
  };
}

/** Facts, or why Graft cannot run what they are about. A damaged file stays an error. */
async function describeOr(
  describe: () => Promise<Record<string, JsonValue | undefined>>,
): Promise<{ readonly facts: Record<string, JsonValue>; readonly problem: string | undefined }> {
  try {
    const known = Object.entries(await describe()).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value]],
    );
    return { facts: Object.fromEntries(known), problem: undefined };
  } catch (error) {
    const isForeign =
      error instanceof UnsupportedModelError ||
      error instanceof AdapterMismatchError ||
      error instanceof FileAccessError;
    if (!isForeign) throw error;
    return { facts: {}, problem: error.message };
  }
}

async function has(source: FileSource, name: string, options: OpenOptions): Promise<boolean> {
  const file = await source.open(name, options);
  await file?.close();
  return file !== undefined;
}

/** The tensors of the first of `names` that is there. */
async function listAll(
  source: FileSource,
  names: readonly string[],
  options: OpenOptions,
): Promise<InspectedTensor[]> {
  const file = await openWeights(source, names, options);
  if (file === undefined) return [];
  try {
    return listTensors(file);
  } finally {
    await file.close();
  }
}

function listTensors(file: TensorFile): InspectedTensor[] {
  return file.names().map((name) => {
    const { dtype = '', shape = [] } = file.info(name) ?? {};
    return { file: file.file, name, dtype, shape };
  });
}

function counted(tensors: readonly InspectedTensor[]): Pick<Inspection, 'tensors' | 'parameters'> {
  const floats = tensors.filter(({ dtype }) => isFloatType(dtype));
  return { tensors, parameters: floats.reduce((sum, { shape }) => sum + elementCount(shape), 0) };
}
