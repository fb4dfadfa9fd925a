import { OptionError } from '../errors';
import type { TaskFormat, WeightsOptions } from '../formats/save-options';
import { readTaskFiles, writeTaskFiles } from '../formats/task-layouts';
import { openCheckpoint } from '../models/checkpoint';
import { FAMILIES } from '../models/families';
import { resolveBackboneSource } from '../platform/embedded';
import type { OpenOptions } from '../platform/files';
import { resolveSource, type SourceLike } from '../platform/resolve';
import { mergeTask } from './merged-checkpoint';

/** How `exportTask` writes. */
export interface ExportOptions extends WeightsOptions, OpenOptions {
  /** 'merged' is a whole checkpoint in Hugging Face's layout with the task folded into it; it needs `backbone`. Default 'auto'. */
  readonly format?: TaskFormat | 'merged' | undefined;
  /** What the task was trained on, for 'merged'. */
  readonly backbone?: SourceLike | undefined;
}

/**
 * The files of a saved task in another format or type, by name. Needs no device.
 *
 * @throws FileAccessError, FileFormatError, UnsupportedModelError for files that cannot be read, or a method that cannot be folded
 *   into weights; OptionError for a format that does not have the method, or a number that f16 cannot hold; AdapterMismatchError
 *   for another backbone's task
 */
export async function exportTask(
  source: SourceLike,
  options: ExportOptions = {},
): Promise<Record<string, Uint8Array<ArrayBuffer>>> {
  const { format, backbone, onProgress, signal, ...weights } = options;
  const taskSource = await resolveSource(source);
  if (format !== 'merged') {
    const task = await readTaskFiles(
      taskSource,
      { families: Object.values(FAMILIES) },
      { onProgress, signal },
    );
    return writeTaskFiles(task, { ...weights, format });
  }
  if (backbone === undefined) {
    throw new OptionError(
      'backbone',
      'is missing',
      'A merged checkpoint is made of the backbone that the task was trained on',
    );
  }
  const backboneSource = await resolveBackboneSource(backbone);
  const checkpoint = await openCheckpoint(backboneSource, { onProgress, signal });
  try {
    const { modelType, hiddenSize, embeddingSize, layers } = checkpoint.config;
    const sizes = {
      family: FAMILIES[modelType],
      hiddenSize,
      embeddingSize,
      layers,
      hasPooler: checkpoint.hasPooler,
      description: checkpoint.description,
    };
    const task = await readTaskFiles(taskSource, sizes, { onProgress, signal });
    return await mergeTask(task, checkpoint, backboneSource, weights);
  } finally {
    await checkpoint.close();
  }
}
