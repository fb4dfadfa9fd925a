/** How long one repetition of something takes, where each run costs something by itself: a submission, a wait. */
import { GraftError } from '../src/errors';

/** How much time a measurement may take, in milliseconds. */
export interface Effort {
  /** What the repetitions of a run take together: enough to stand out from the run's own cost and the clock's grain. */
  readonly run: number;
  /** Spent on runs, of which the fastest counts: other work on the machine only adds. */
  readonly all: number;
  /** Spent before anything counts: engines compile a hot function anew while it runs. */
  readonly warmUp: number;
}

export const FULL_EFFORT: Effort = { run: 6, all: 300, warmUp: 100 };
export const QUICK_EFFORT: Effort = { run: 2, all: 8, warmUp: 4 };

/** Runs that are made however long they take. */
const LEAST_RUNS = 3;

/** Something that can be run as often as one likes. `run` gives its own wall time in milliseconds. */
export interface Repeatable {
  run(): Promise<number>;
  dispose(): void;
}

/** What disturbs the one run counts in full, so that the many must outweigh it; not where one takes all of the time. */
const LEAST_EXTRA = 3;
/** Most repetitions in one run; on any device that there is, so many launches outlast the clock's grain. */
const MOST_REPEATS = 1 << 14;

/**
 * Milliseconds of one repetition: the difference between the fastest run of many and the fastest run of one.
 * @param prepare makes a run of so many repetitions.
 * @throws GraftError where even 16,384 repetitions take no time that could be measured.
 */
export async function timeOne(
  prepare: (repeats: number) => Promise<Repeatable>,
  effort: Effort,
): Promise<number> {
  const once = await prepare(1);
  try {
    const onceTime = await warmUp(once, effort.warmUp);
    for (let extra = onceTime < effort.all ? LEAST_EXTRA : 1; ; ) {
      const several = await prepare(1 + extra);
      try {
        const started = performance.now();
        const glance = await fastestDifference(once, several, 0);
        const isEnough = performance.now() - started >= effort.all;
        if (glance >= effort.run || extra === MOST_REPEATS) {
          const difference = isEnough ? glance : await fastestDifference(once, several, effort.all);
          if (difference > 0) return difference / extra;
          if (extra === MOST_REPEATS) throw new GraftError('a kernel takes no time that the clock can see');
        }
        extra = Math.min(MOST_REPEATS, extra * growth(effort.run, glance));
      } finally {
        several.dispose();
      }
    }
  } finally {
    once.dispose();
  }
}

/** Returns what the last run took. */
async function warmUp(runnable: Repeatable, milliseconds: number): Promise<number> {
  const started = performance.now();
  let time: number;
  do time = await runnable.run();
  while (performance.now() - started < milliseconds);
  return time;
}

/**
 * Between the fastest runs of both within so many milliseconds, at least a few. The two take turns, so that both see the
 * machine in the same state.
 */
async function fastestDifference(
  once: Repeatable,
  several: Repeatable,
  milliseconds: number,
): Promise<number> {
  let fastestOnce = Number.POSITIVE_INFINITY;
  let fastestSeveral = Number.POSITIVE_INFINITY;
  const started = performance.now();
  for (let run = 0; run < LEAST_RUNS || performance.now() - started < milliseconds; run++) {
    fastestSeveral = Math.min(fastestSeveral, await several.run());
    fastestOnce = Math.min(fastestOnce, await once.run());
  }
  return fastestSeveral - fastestOnce;
}

/** How many times more repetitions to try: what should be enough by the last try, at least twice and at most 16 times. */
function growth(wanted: number, had: number): number {
  return Math.min(16, Math.max(2, Math.ceil((1.3 * wanted) / Math.max(had, 1e-3))));
}
