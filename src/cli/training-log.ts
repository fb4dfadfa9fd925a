import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  type DoneReport,
  type EpochReport,
  FileWriteError,
  type StepReport,
  type TrainingReport,
} from '../index';

/**
 * `training.jsonl`: every report of a run, one JSON object a line, written as it comes. A resumed run goes on in the
 * same file, without the steps that it takes again.
 */
export class TrainingLog {
  readonly #path: string;
  /** What stood in the file of the run that is resumed, until the first report tells how much of it still holds. */
  #earlier: TrainingReport[] | undefined;
  #descriptor: number | undefined;

  constructor(path: string, options: { resume: boolean }) {
    this.#path = path;
    this.#earlier = options.resume ? readTrainingLog(path) : [];
  }

  /** @throws FileWriteError */
  append(report: TrainingReport): void {
    try {
      this.#descriptor ??= this.#begin(report);
      writeSync(this.#descriptor, `${JSON.stringify(report)}\n`);
    } catch (cause) {
      const problem = cause instanceof Error ? cause.message : String(cause);
      throw new FileWriteError(this.#path, `cannot be written (${problem})`, undefined, { cause });
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #begin(first: TrainingReport): number {
    mkdirSync(dirname(this.#path), { recursive: true });
    const descriptor = openSync(this.#path, 'w');
    for (const report of reportsBefore(first, this.#earlier ?? [])) {
      writeSync(descriptor, `${JSON.stringify(report)}\n`);
    }
    this.#earlier = undefined;
    return descriptor;
  }
}

/** Those of an interrupted run's reports that come before the first report of the run that resumed it. */
export function reportsBefore(first: TrainingReport, earlier: readonly TrainingReport[]): TrainingReport[] {
  return earlier.filter((report) => {
    if (report.type === 'done') return false;
    if (first.type === 'done') return true;
    if (report.type === 'epoch') return report.epoch < first.epoch;
    return first.type === 'step' ? report.step < first.step : report.step <= first.step;
  });
}

/** The reports in a `training.jsonl`. A last line that was cut off, and a file that is not there, are no errors. */
export function readTrainingLog(path: string): TrainingReport[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  const reports: TrainingReport[] = [];
  for (const line of text.split('\n')) {
    let value: unknown;
    try {
      // JSON has no NaN: a metric that was none (a correlation of constant values) was written as null.
      value = JSON.parse(line, (_key, part: unknown) => (part === null ? Number.NaN : part));
    } catch {
      continue;
    }
    if (isReport(value)) reports.push(value);
  }
  return reports;
}

function isReport(value: unknown): value is TrainingReport {
  return isStep(value) || isEpoch(value) || isDone(value);
}

function isStep(value: unknown): value is StepReport {
  return hasNumbers(value, 'step', ['step', 'epoch', 'loss', 'learningRate']);
}

function isEpoch(value: unknown): value is EpochReport {
  return hasNumbers(value, 'epoch', ['epoch', 'step', 'trainLoss']);
}

function isDone(value: unknown): value is DoneReport {
  return hasNumbers(value, 'done', ['steps', 'trainableParameters', 'seconds']);
}

function hasNumbers(value: unknown, type: string, keys: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const entries = new Map<string, unknown>(Object.entries(value));
  return entries.get('type') === type && keys.every((key) => typeof entries.get(key) === 'number');
}
