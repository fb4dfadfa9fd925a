/** One run: train, choose the epoch by validation, score once on the test part. */
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import {
  type Backbone,
  type Example,
  type StepReport,
  writeFileAtomic,
  writeFilesAtomic,
} from '../../src/index';
import type { Contestant } from './contestants';
import type { DataSet } from './data';
import type { Records, RunRecord, RunSettings } from './records';

export const BATCH_SIZE = 32;
export const MAX_LENGTH = 128;
const CHECKPOINT_EVERY = 200;

export interface RunRequest {
  readonly backbone: Backbone;
  readonly set: DataSet;
  readonly contestant: Contestant;
  readonly settings: RunSettings;
  readonly records: Records;
  readonly signal: AbortSignal;
  /** Whether the task's files are kept beside the record, for what is measured on them later. */
  readonly keep: boolean;
  readonly onStep: (report: StepReport) => void;
}

/** Goes on from the state of a run that was stopped. Throws what training throws; the signal's reason where it is aborted. */
export async function run(request: RunRequest): Promise<RunRecord> {
  const { backbone, set, contestant, settings, records, signal, onStep } = request;
  const state = records.path(settings, '.state');
  const spent = existsSync(state) ? records.spent(settings) : 0;
  const started = performance.now();
  const seconds = () => spent + (performance.now() - started) / 1000;
  await using task = await backbone.createTask({
    name: set.name,
    kind: set.kind,
    labels: labelsOf(set),
    adapter: contestant.method,
    maxLength: MAX_LENGTH,
    seed: settings.seed,
  });
  let validation = Number.NaN;
  let bestEpoch = 0;
  let device = '';
  const training = task.train(set.train.slice(0, settings.rows), {
    epochs: settings.epochs,
    batchSize: BATCH_SIZE,
    learningRate: settings.learningRate,
    seed: settings.seed,
    dev: set.validation.slice(0, settings.validationRows),
    signal,
    checkpointEvery: CHECKPOINT_EVERY,
    async onCheckpoint(bytes) {
      await writeFileAtomic(state, bytes);
      await records.saveSpent(settings, seconds());
    },
    ...(existsSync(state) ? { resume: new Uint8Array(await readFile(state)) } : {}),
  });
  for await (const report of training) {
    if (report.type === 'step') onStep(report);
    if (report.type === 'done') {
      validation = report.dev === undefined ? Number.NaN : set.score(report.dev);
      bestEpoch = report.bestEpoch;
      device = report.device;
    }
  }
  const metrics = await task.evaluate(set.test, { signal });
  if (request.keep) await writeFilesAtomic(records.path(settings, ''), await task.save());
  const record = {
    settings,
    validation,
    test: set.score(metrics),
    bestEpoch,
    trainedParameters: task.trainableParameters,
    backboneParameters: backbone.parameterCount,
    seconds: seconds(),
    device,
    date: new Date().toISOString().slice(0, 10),
  };
  await records.save(record);
  await rm(state, { force: true });
  await rm(records.path(settings, '.seconds'), { force: true });
  return record;
}

/** Empty for a regression. */
export function labelsOf({ kind, train, validation, test }: DataSet): string[] {
  if (kind === 'regression') return [];
  const labels = [train, validation, test].flatMap((part: readonly Example[]) =>
    part.map(({ label }) => String(label)),
  );
  return [...new Set(labels)].sort();
}
