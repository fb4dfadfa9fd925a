import { readFile } from 'node:fs/promises';
import { accessError } from '../system-error';
import type { DataFile } from './data-file';
import { type HubDataOptions, hubDataFiles, isHubData } from './hub';

/** What is read where nothing else is asked for. */
const TRAINING_SPLIT: HubDataOptions = { split: 'train' };

/**
 * The files that `source` names, one after the other: the file at a path, or those of a split of `hub:owner/name`, as `hub` says.
 * @throws FileAccessError where it cannot be read; else as `hubDataFiles`
 */
export async function* dataFiles(source: string, hub = TRAINING_SPLIT): AsyncGenerator<DataFile> {
  if (isHubData(source)) yield* hubDataFiles(source, hub);
  else yield { name: source, bytes: await readLocal(source) };
}

async function readLocal(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw accessError(path, cause);
  }
}
