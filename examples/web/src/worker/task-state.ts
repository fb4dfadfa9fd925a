import type { TaskState, TaskStatus } from '../engine';
import { NO_CURVES } from './curves';
import type { BackboneIdentity, TaskRecord } from './storage/schema';

/** A task as the page sees it. `backbone` is the one at hand. */
export function taskStateOf(
  record: TaskRecord,
  isTraining: boolean,
  backbone: BackboneIdentity | undefined,
): TaskState {
  const { id, name, kind, trained, run, note } = record;
  const own = trained?.backbone ?? run?.backbone;
  return {
    id,
    name,
    kind,
    status: statusOf(record, isTraining),
    fits: own === undefined || own.fingerprint === backbone?.fingerprint,
    backbone: own?.description ?? backbone?.description ?? '',
    labels: trained?.labels ?? record.exampleLabels,
    exampleCount: record.exampleCount,
    takesPairs: trained?.takesPairs ?? record.examplesArePairs,
    byteLength: trained?.byteLength,
    trainableParameters: trained?.trainableParameters,
    options: run?.options ?? trained?.options,
    progress: run?.progress,
    curves: run?.curves ?? trained?.curves ?? NO_CURVES,
    result: trained?.result,
    note,
  };
}

function statusOf({ run, trained }: TaskRecord, isTraining: boolean): TaskStatus {
  if (isTraining) return 'training';
  if (run?.hasState === true) return 'paused';
  return trained === undefined ? 'new' : 'trained';
}
