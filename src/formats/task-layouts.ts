/** Which layout a task's files have: Python's `adapters` and `peft` know some methods, Graft's own layout has all. */
import { OptionError } from '../errors';
import type { FileSource, OpenOptions } from '../platform/files';
import { writeAdapterHub } from './adapterhub';
import {
  ADAPTER_CONFIG,
  ADAPTER_NON_LINEARITIES,
  BOTTLENECK_METHODS,
  isBottleneckMethod,
} from './adapterhub-layout';
import { readAdapterHub } from './adapterhub-read';
import { type GraftFiles, isGraftLayout, readGraft, writeGraft } from './graft';
import { writePeft } from './peft';
import { isPeftLayout, readPeft } from './peft-read';
import { type SaveOptions, TASK_FORMATS, type WeightsOptions } from './save-options';
import { readConfig, type TaskHost } from './task';

/** A task whose method is named by kind and options, whatever its files look like. */
export type SavedTask = GraftFiles;

/**
 * The files by name. Throws OptionError for a format that does not exist or does not have the method, a name or labels that it
 * cannot hold, or a number that f16 cannot.
 */
export function writeTaskFiles(
  task: SavedTask,
  { format = 'auto', ...weights }: SaveOptions = {},
): Record<string, Uint8Array<ArrayBuffer>> {
  switch (format) {
    case 'auto':
      return isBottleneckMethod(task.method) ? writeBottleneck(task, weights) : writeGraft(task, weights);
    case 'adapterhub':
      return writeBottleneck(task, weights);
    case 'peft':
      return writePeft(task, weights);
    case 'graft':
      return writeGraft(task, weights);
    default:
      throw new OptionError('format', `there is no format "${format}"`, `Choose ${TASK_FORMATS.join(', ')}`);
  }
}

function writeBottleneck(
  { method, options, ...files }: SavedTask,
  weights: WeightsOptions,
): Record<string, Uint8Array<ArrayBuffer>> {
  if (!isBottleneckMethod(method)) {
    throw new OptionError(
      'format',
      `adapterhub has no method "${method}"`,
      `It has ${BOTTLENECK_METHODS.join(', ')}`,
    );
  }
  const { bottleneck, scaling = 1 } = options;
  const nonLinearity = nonLinearityOf(options.activation);
  if (typeof bottleneck !== 'number' || typeof scaling !== 'number' || nonLinearity === undefined) {
    throw new TypeError(`${method}: ${JSON.stringify(options)} lack a bottleneck or an activation`);
  }
  return writeAdapterHub({ ...files, method, bottleneck, scaling, nonLinearity }, weights);
}

/**
 * Throws FileAccessError where a file is missing, FileFormatError where one is damaged, UnsupportedModelError for another
 * method or head, AdapterMismatchError where the task was trained on a backbone of another width or depth.
 */
export async function readTaskFiles(
  source: FileSource,
  host: TaskHost,
  options: OpenOptions = {},
): Promise<SavedTask> {
  const config = await readConfig(source, ADAPTER_CONFIG, options);
  if (isPeftLayout(config)) return readPeft(source, config, host, options);
  if (isGraftLayout(config)) return readGraft(source, config, host, options);
  const read = await readAdapterHub(source, config, host, options);
  const { bottleneck, nonLinearity, scaling, ...files } = read;
  const method = { bottleneck, activation: nonLinearity };
  return { ...files, options: files.method === 'parallel' ? { ...method, scaling } : method };
}

function nonLinearityOf(activation: SavedTask['options'][string] | undefined) {
  return ADAPTER_NON_LINEARITIES.find((name) => name === activation);
}
