/** What all layouts of a trained task's files share: what is in them, and how they are opened and checked. */
import { AdapterMismatchError, FileAccessError, FileFormatError } from '../errors';
import { type FileSource, type OpenOptions, readFile } from '../platform/files';
import { type JsonObject, parseJsonObject, show } from './json';
import { openSafetensors, readFiniteFloat32, type SafetensorsFile } from './safetensors';

export interface TaskTensor {
  /** PyTorch's order: a linear layer's weight is [out, in]. */
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array;
}

/** A trained task in memory. */
export interface TaskFiles {
  readonly name: string;
  readonly hiddenSize: number;
  readonly layers: number;
  /** The layers that are adapted, counted from 0, ascending. */
  readonly adapterLayers: readonly number[];
  readonly taskKind: 'classification' | 'regression';
  /** In the order of the head's outputs; empty for regression. */
  readonly labels: readonly string[];
  /** What else Graft wants to find again, such as the maximum length; other programs ignore it. */
  readonly settings: JsonObject;
  /** By Graft's names: docs/formats.md. */
  readonly tensors: ReadonlyMap<string, TaskTensor>;
}

/** The backbone that a task is to sit on. */
export interface BackboneSizes {
  readonly hiddenSize: number;
  readonly layers: number;
  /** For messages. */
  readonly description: string;
}

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

/** Throws FileAccessError where there is none, FileFormatError where it is no safetensors file. */
export async function openWeights(
  source: FileSource,
  name: string,
  options: OpenOptions,
): Promise<SafetensorsFile> {
  const file = await source.open(name, options);
  if (file === undefined) {
    throw new FileAccessError(
      name,
      `not in ${source.description}`,
      'Graft does not read .bin files: save the adapter again in Python with use_safetensors=True',
    );
  }
  return openSafetensors(file);
}

/** Tensors under Graft's names. Throws FileFormatError where one is missing, of another shape, or not finite. */
export async function readTensors(
  weights: SafetensorsFile,
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

export function mismatch(source: FileSource, found: string, backbone: BackboneSizes): AdapterMismatchError {
  return new AdapterMismatchError(
    `the adapter in ${source.description} has ${found}; ` +
      `the backbone ${backbone.description} has ${backbone.layers} layers of hidden size ${backbone.hiddenSize}`,
    'Load it onto the backbone that it was trained on',
  );
}
