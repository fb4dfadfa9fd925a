/** Which layout a task's files have: Python's `adapters` knows some methods, Graft's own layout all others. */
import type { FileSource, OpenOptions } from '../platform/files';
import { writeAdapterHub } from './adapterhub';
import { ADAPTER_CONFIG, ADAPTER_NON_LINEARITIES, isBottleneckMethod } from './adapterhub-layout';
import { readAdapterHub } from './adapterhub-read';
import { type GraftFiles, isGraftLayout, readGraft, writeGraft } from './graft';
import { type BackboneSizes, readConfig } from './task';

/** A task whose method is named by kind and options, whatever its files look like. */
export type SavedTask = GraftFiles;

/** The files by name. Throws OptionError for a name or labels that the layout cannot hold. */
export function writeTaskFiles(task: SavedTask): Record<string, Uint8Array<ArrayBuffer>> {
  const { method, options, ...files } = task;
  if (!isBottleneckMethod(method)) return writeGraft(task);
  const { bottleneck, scaling = 1 } = options;
  const nonLinearity = nonLinearityOf(options.activation);
  if (typeof bottleneck !== 'number' || typeof scaling !== 'number' || nonLinearity === undefined) {
    throw new TypeError(`${method}: ${JSON.stringify(options)} lack a bottleneck or an activation`);
  }
  return writeAdapterHub({ ...files, method, bottleneck, scaling, nonLinearity });
}

/**
 * Throws FileAccessError where a file is missing, FileFormatError where one is damaged, UnsupportedModelError for another
 * method or head, AdapterMismatchError where the task was trained on a backbone of another width or depth.
 */
export async function readTaskFiles(
  source: FileSource,
  backbone: BackboneSizes,
  options: OpenOptions = {},
): Promise<SavedTask> {
  const config = await readConfig(source, ADAPTER_CONFIG, options);
  if (isGraftLayout(config)) return readGraft(source, config, backbone, options);
  const read = await readAdapterHub(source, config, backbone, options);
  const { bottleneck, nonLinearity, scaling, ...files } = read;
  const method = { bottleneck, activation: nonLinearity };
  return { ...files, options: files.method === 'parallel' ? { ...method, scaling } : method };
}

function nonLinearityOf(activation: SavedTask['options'][string] | undefined) {
  return ADAPTER_NON_LINEARITIES.find((name) => name === activation);
}
