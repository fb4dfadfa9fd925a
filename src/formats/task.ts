/** What all layouts of a trained task's files share: what is in them, and how they are opened and checked. */
import { AdapterMismatchError, FileAccessError, FileFormatError } from '../errors';
import { type FileSource, type OpenOptions, readFile } from '../platform/files';
import { type JsonObject, parseJsonObject, show } from './json';
import { openWeights } from './open-weights';
import { readFiniteFloat32, type TensorFile } from './tensor-file';

export interface TaskTensor {
  /** PyTorch's order: a linear layer's weight is [out, in]. */
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array;
}

/** What files call a backbone's family, and its modules. */
export interface LayoutFamily {
  /** 'bert' */
  readonly modelType: string;
  /** 'Bert', as in BertModel. */
  readonly className: string;
  /** 'bert.' */
  readonly prefix: string;
  readonly modules: {
    /** 'encoder.layer'; the others are inside a layer. */
    readonly layers: string;
    readonly attentionAdapters: string;
    readonly attentionLayerNorm: string;
    readonly outputAdapters: string;
    readonly outputLayerNorm: string;
  };
}

/** What a task's files depend on of its backbone. */
export interface TaskBackbone {
  readonly family: LayoutFamily;
  readonly hiddenSize: number;
  /** Of the embeddings' LayerNorm. */
  readonly embeddingSize: number;
  readonly layers: number;
  /** Whether the head is on a pooler, not on the first token's hidden state itself. */
  readonly hasPooler: boolean;
}

/** The kinds of tasks in files, and how many labels they have at least. */
export const FEWEST_LABELS = {
  classification: 2,
  'multi-label': 1,
  regression: 0,
  'token-classification': 2,
  'question-answering': 0,
} as const;

export type SavedKind = keyof typeof FEWEST_LABELS;

/** A trained task in memory, and what it sits on. */
export interface TaskFiles extends TaskBackbone {
  readonly name: string;
  /** The layers that are adapted, counted from 0, ascending. */
  readonly adapterLayers: readonly number[];
  readonly taskKind: SavedKind;
  /** In the order of the head's outputs; empty for regression and question answering. */
  readonly labels: readonly string[];
  /** What else Graft wants to find again, such as the maximum length; other programs ignore it. */
  readonly settings: JsonObject;
  /** By Graft's names: docs/formats.md. */
  readonly tensors: ReadonlyMap<string, TaskTensor>;
}

/** The backbone that a task is to sit on. */
export interface BackboneSizes extends TaskBackbone {
  /** For messages. */
  readonly description: string;
}

/** Where a task is to sit: on a backbone; or, where none is at hand, on any of these families. */
export type TaskHost = BackboneSizes | { readonly families: readonly LayoutFamily[] };

export interface ConfigFile {
  readonly file: string;
  readonly json: JsonObject;
}

/** Throws FileAccessError where there is none, FileFormatError where it is no JSON object. */
export async function readConfig(
  source: FileSource,
  name: string,
  options: OpenOptions,
): Promise<ConfigFile> {
  const file = await readFile(source, name, options);
  if (file === undefined) {
    throw new FileAccessError(
      name,
      `not in ${source.description}`,
      'Give the directory that an adapter was saved to',
    );
  }
  return { file: file.name, json: parseJsonObject(file.bytes, file.name) };
}

/** The first of `names` that is there. Throws FileAccessError where none is, FileFormatError where it is damaged. */
export async function requireWeights(
  source: FileSource,
  names: readonly string[],
  options: OpenOptions,
): Promise<TensorFile> {
  const weights = await openWeights(source, names, options);
  if (weights === undefined) {
    throw new FileAccessError(
      names.join(' or '),
      `not in ${source.description}`,
      'Give the directory that an adapter was saved to, with its head',
    );
  }
  return weights;
}

/** Tensors under Graft's names. Throws FileFormatError where one is missing, of another shape, or not finite. */
export async function readTensors(
  weights: TensorFile,
  layout: readonly {
    readonly name: string;
    readonly storedName: string;
    readonly shape: readonly number[];
  }[],
): Promise<Map<string, TaskTensor>> {
  const tensors = new Map<string, TaskTensor>();
  for (const { name, storedName, shape } of layout) {
    const info = weights.info(storedName);
    if (info?.shape.join() !== shape.join()) {
      throw new FileFormatError(
        weights.file,
        `tensor ${show(storedName)}`,
        `shape [${shape.join(', ')}] was expected, found ${info === undefined ? 'nothing' : show(info.shape)}`,
      );
    }
    tensors.set(name, { shape, data: await readFiniteFloat32(weights, storedName) });
  }
  return tensors;
}

/** The part of a BackboneSizes that is a task's. */
export function taskBackbone({
  family,
  hiddenSize,
  embeddingSize,
  layers,
  hasPooler,
}: BackboneSizes): TaskBackbone {
  return { family, hiddenSize, embeddingSize, layers, hasPooler };
}

/** The family of a task's backbone. Throws AdapterMismatchError where that is not `host`'s. */
export function familyOf({ file, json }: ConfigFile, host: TaskHost): LayoutFamily {
  const families = 'families' in host ? host.families : [host.family];
  // Files that do not say are of the backbone's family; without a backbone, of the first.
  const { model_type: modelType = families[0]?.modelType } = json;
  const family = families.find((candidate) => candidate.modelType === modelType);
  if (family !== undefined) return family;
  const known = families.map((candidate) => `"${candidate.modelType}"`).join(', ');
  throw new AdapterMismatchError(
    `${file}: the adapter is for model_type ${show(modelType)}, the backbone is of ${known}`,
  );
}

/**
 * Throws AdapterMismatchError where a task of these sizes is not for `host`; where that is no backbone, its own sizes are believed.
 * @param layers `undefined` where the files do not say
 */
export function requireFit(
  source: FileSource,
  hiddenSize: number,
  layers: number | undefined,
  host: TaskHost,
): void {
  if ('families' in host) return;
  if (hiddenSize === host.hiddenSize && (layers ?? host.layers) === host.layers) return;
  const found = `${layers === undefined ? '' : `${layers} layers of `}hidden size ${hiddenSize}`;
  throw new AdapterMismatchError(
    `the adapter in ${source.description} has ${found}; ` +
      `the backbone ${host.description} has ${host.layers} layers of hidden size ${host.hiddenSize}`,
    'Load it onto the backbone that it was trained on',
  );
}
