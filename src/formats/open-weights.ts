/**
 * Weights by the names that they usually have: in one file or in several, of which `model.safetensors.index.json` or
 * `pytorch_model.bin.index.json` maps each tensor to the file that holds it.
 */
import { FileAccessError, FileFormatError } from '../errors';
import {
  type FileSource,
  isPlainFileName,
  type OpenOptions,
  type RandomAccessFile,
  readFile,
} from '../platform/files';
import { isJsonObject, parseJsonObject, show } from './json';
import { openSafetensors } from './safetensors';
import type { TensorFile } from './tensor-file';
import { openTorchFile } from './torch-file';

/** More shards than any checkpoint has; each is an open file. */
const MAX_SHARDS = 1000;

/** `weight_map` of an index file: tensor name → file name. */
export function parseShardIndex(bytes: Uint8Array, file: string): ReadonlyMap<string, string> {
  const weightMap = parseJsonObject(bytes, file).weight_map;
  if (!isJsonObject(weightMap)) {
    throw new FileFormatError(file, 'weight_map', `an object was expected, found ${show(weightMap)}`);
  }
  const result = new Map<string, string>();
  for (const [tensor, shard] of Object.entries(weightMap)) {
    // The name comes from the file: with a separator or '..' it could point anywhere on the disk.
    if (typeof shard !== 'string' || !isPlainFileName(shard)) {
      throw new FileFormatError(
        file,
        `weight_map, tensor ${show(tensor)}`,
        `a file name without a folder was expected, found ${show(shard)}`,
      );
    }
    result.set(tensor, shard);
  }
  return result;
}

/**
 * Opens the first of `names` that `source` holds, each as a file or as the shards that its index lists; `undefined` where there
 * is none of them. A name that ends in .safetensors is of that format, any other of PyTorch's.
 */
export async function openWeights(
  source: FileSource,
  names: readonly string[],
  options: OpenOptions = {},
): Promise<TensorFile | undefined> {
  for (const name of names) {
    const single = await source.open(name, options);
    if (single !== undefined) {
      return openTensorFile(name, single);
    }
    const index = await readFile(source, `${name}.index.json`, options);
    if (index !== undefined) {
      return openShards(source, index, options);
    }
  }
  return undefined;
}

/** `file` in the format that `name` stands for. */
export function openTensorFile(name: string, file: RandomAccessFile): Promise<TensorFile> {
  return name.endsWith('.safetensors') ? openSafetensors(file) : openTorchFile(file);
}

async function openShards(
  source: FileSource,
  index: { readonly name: string; readonly bytes: Uint8Array },
  options: OpenOptions,
): Promise<TensorFile> {
  const weightMap = parseShardIndex(index.bytes, index.name);
  const shardNames = [...new Set(weightMap.values())].sort();
  if (shardNames.length > MAX_SHARDS) {
    throw new FileFormatError(
      index.name,
      'weight_map',
      `${shardNames.length} files are more than ${MAX_SHARDS}`,
    );
  }
  const shards = new Map<string, TensorFile>();
  const close = async () => {
    for (const shard of shards.values()) {
      await shard.close();
    }
  };
  try {
    for (const shardName of shardNames) {
      const file = await source.open(shardName, options);
      if (file === undefined) {
        throw new FileAccessError(
          shardName,
          `${index.name} names it, but it is not in ${source.description}`,
          'Put all files of the checkpoint in one place',
        );
      }
      shards.set(shardName, await openTensorFile(shardName, file));
    }
    const holders = locateTensors(weightMap, shards, index.name);
    return {
      file: index.name,
      names: () => [...holders.keys()],
      info: (name) => holders.get(name)?.info(name),
      readFloat32: async (name) => {
        const holder = holders.get(name);
        if (holder === undefined) {
          throw new FileFormatError(index.name, `tensor ${show(name)}`, 'the file has no such tensor');
        }
        return holder.readFloat32(name);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function locateTensors(
  weightMap: ReadonlyMap<string, string>,
  shards: ReadonlyMap<string, TensorFile>,
  indexName: string,
): ReadonlyMap<string, TensorFile> {
  const holders = new Map<string, TensorFile>();
  for (const [tensor, shardName] of weightMap) {
    const shard = shards.get(shardName);
    if (shard?.info(tensor) === undefined) {
      throw new FileFormatError(
        shardName,
        `tensor ${show(tensor)}`,
        `${indexName} says that it is here, but it is not`,
      );
    }
    holders.set(tensor, shard);
  }
  return holders;
}
