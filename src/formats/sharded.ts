/** A checkpoint in several safetensors files: `model.safetensors.index.json` maps each tensor to the file that holds it. */
import { FileAccessError, FileFormatError } from '../errors';
import { type FileSource, isPlainFileName, type OpenOptions, readFile } from '../platform/files';
import { isJsonObject, parseJsonObject, show } from './json';
import { openSafetensors, type SafetensorsFile } from './safetensors';

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

/** Opens `name` of `source`, or where there is none the shards that `name`.index.json lists; `undefined` where there is neither. */
export async function openSafetensorsOrShards(
  source: FileSource,
  name: string,
  options: OpenOptions = {},
): Promise<SafetensorsFile | undefined> {
  const single = await source.open(name, options);
  if (single !== undefined) {
    return openSafetensors(single);
  }
  const index = await readFile(source, `${name}.index.json`, options);
  return index === undefined ? undefined : openShards(source, index, options);
}

async function openShards(
  source: FileSource,
  index: { readonly name: string; readonly bytes: Uint8Array },
  options: OpenOptions,
): Promise<SafetensorsFile> {
  const weightMap = parseShardIndex(index.bytes, index.name);
  const shardNames = [...new Set(weightMap.values())].sort();
  if (shardNames.length > MAX_SHARDS) {
    throw new FileFormatError(
      index.name,
      'weight_map',
      `${shardNames.length} files are more than ${MAX_SHARDS}`,
    );
  }
  const shards = new Map<string, SafetensorsFile>();
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
      shards.set(shardName, await openSafetensors(file));
    }
    const holders = locateTensors(weightMap, shards, index.name);
    return {
      file: index.name,
      metadata: {},
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
  shards: ReadonlyMap<string, SafetensorsFile>,
  indexName: string,
): ReadonlyMap<string, SafetensorsFile> {
  const holders = new Map<string, SafetensorsFile>();
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
