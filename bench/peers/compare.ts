/** One comparison: set every contestant up, check that they compute the same, then time them in turn. */
import { ContestantProcess } from './contestant';
import { watchOtherLoad } from './other-load';
import type { Ready, Round } from './protocol';

export interface Entry {
  readonly name: string;
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  /** One round, warmed up by the check alone: where it takes many times what the others take. */
  readonly isSlow?: boolean;
}

export interface Comparison {
  /** What `--only` knows it by. */
  readonly name: string;
  readonly title: string;
  /** Job.work of all entries. */
  readonly work: string;
  /** The first that runs is what the others are checked against and divided by. */
  readonly entries: readonly Entry[];
  readonly rounds: number;
  /** How far two contestants' checks are apart, and how far they may be. */
  readonly difference: (values: Float32Array, reference: Float32Array) => number;
  readonly tolerance: number;
  /** How far the values of a round may be apart, relative. */
  readonly valueTolerance?: number;
  /** Milliseconds of a round as a rate. */
  readonly rate?: { readonly unit: string; readonly of: (milliseconds: number) => number };
}

export interface Row {
  readonly name: string;
  readonly setup: string;
  /** Of the rounds. */
  readonly medianMilliseconds: number;
  readonly milliseconds: readonly number[];
  readonly rate?: number;
  /** The contestant's time over the reference's, medians: above 1 it is slower than Graft. */
  readonly ratio: number;
  /** The most memory that its process had resident. */
  readonly peakBytes: number;
  /** From the reference, before anything was timed. */
  readonly difference: number;
}

export interface Missing {
  readonly name: string;
  readonly reason: string;
}

export interface Result {
  readonly comparison: Comparison;
  readonly rows: readonly Row[];
  readonly missing: readonly Missing[];
  /** Share of all cores that other programs had while the rounds ran, 0 to 1; undefined where it is not known. */
  readonly otherLoad: number | undefined;
}

interface Runner {
  readonly entry: Entry;
  readonly process: ContestantProcess;
  readonly ready: Ready;
  readonly difference: number;
  readonly rounds: Round[];
}

export async function compare(
  comparison: Comparison,
  inputs: string,
  log: (line: string) => void,
): Promise<Result> {
  const missing: Missing[] = [];
  let runners: Runner[] = [];
  const drop = ({ name }: Entry, error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    log(`  ${name}: not measured: ${reason}`);
    missing.push({ name, reason });
  };
  try {
    let reference: Float32Array | undefined;
    for (const entry of comparison.entries) {
      const process = new ContestantProcess(entry.command, {
        work: comparison.work,
        inputs,
        settings: entry.settings,
      });
      try {
        const ready = await process.ready();
        const values = decode(ready.check);
        reference ??= values;
        const difference = comparison.difference(values, reference);
        // Not `>`: NaN is no agreement.
        if (!(difference <= comparison.tolerance)) {
          throw new Error(`its results differ by ${difference}, more than ${comparison.tolerance}`);
        }
        log(`  ${entry.name}: ${ready.setup}; differs by ${difference.toExponential(1)}`);
        runners.push({ entry, process, ready, difference, rounds: [] });
      } catch (error) {
        process.end();
        drop(entry, error);
      }
    }
    const otherLoad = watchOtherLoad(runners.map(({ process }) => process.pid ?? 0));
    // Round 0 warms up: caches, compilers, pools of threads.
    for (let round = 0; round <= comparison.rounds; round++) {
      for (const runner of runners) {
        const { entry, process, rounds } = runner;
        if (entry.isSlow === true && round > 0) continue;
        try {
          rounds.push(await process.round());
          checkValue(comparison, rounds, runners[0]?.rounds ?? []);
        } catch (error) {
          process.end();
          drop(entry, error);
          runners = runners.filter((other) => other !== runner);
        }
      }
      log(`  round ${round} of ${comparison.rounds} done`);
    }
    const [first] = runners;
    const unit = first === undefined ? Number.NaN : median(times(first));
    const rows = runners.map((runner) => row(comparison, runner, unit));
    return { comparison, rows, missing, otherLoad: otherLoad() };
  } finally {
    for (const { process } of runners) process.end();
  }
}

function checkValue(
  { valueTolerance }: Comparison,
  rounds: readonly Round[],
  reference: readonly Round[],
): void {
  const round = rounds.length - 1;
  const value = rounds[round]?.value;
  const expected = reference[round]?.value;
  if (valueTolerance === undefined || expected === undefined) return;
  if (value === undefined) throw new Error('it gave no value to compare');
  const difference = Math.abs(value - expected) / Math.abs(expected);
  if (!(difference <= valueTolerance)) {
    throw new Error(`in round ${round} it came to ${value}, the reference to ${expected}`);
  }
}

function row({ rate }: Comparison, { entry, ready, difference, rounds }: Runner, unit: number): Row {
  const milliseconds = times({ entry, rounds });
  const medianMilliseconds = median(milliseconds);
  return {
    name: entry.name,
    setup: ready.setup,
    medianMilliseconds,
    milliseconds,
    ...(rate === undefined ? {} : { rate: rate.of(medianMilliseconds) }),
    ratio: medianMilliseconds / unit,
    peakBytes: Math.max(...rounds.map(({ peakBytes }) => peakBytes)),
    difference,
  };
}

/** Without the warm-up. */
function times({ entry, rounds }: Pick<Runner, 'entry' | 'rounds'>): number[] {
  return rounds.slice(entry.isSlow === true ? 0 : 1).map(({ milliseconds }) => milliseconds);
}

/** Of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

function decode(base64: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  return new Float32Array(bytes.buffer);
}

/** The largest difference between two elements over the reference's largest element; NaN where a value is. For a tensor. */
export function relativeToLargest(values: Float32Array, reference: Float32Array): number {
  if (values.length !== reference.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let largest = 0;
  reference.forEach((expected, i) => {
    const delta = Math.abs((values[i] ?? Number.NaN) - expected);
    difference = Math.max(difference, delta);
    largest = Math.max(largest, Math.abs(expected));
  });
  return difference / largest;
}

/** The largest difference of an element from its own expected value; NaN where one is. For quantities that each have their own size. */
export function relativeToEach(values: Float32Array, reference: Float32Array): number {
  if (values.length !== reference.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  reference.forEach((expected, i) => {
    difference = Math.max(difference, Math.abs((values[i] ?? Number.NaN) - expected) / Math.abs(expected));
  });
  return difference;
}
