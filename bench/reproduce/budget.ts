/** How much each run may train so that all of them fit into the time given. */
import type { Contestant } from './contestants';
import type { DataSet } from './data';

export interface Effort {
  /** Most examples, repetitions counted, that a run trains on; infinite with `--full`. */
  readonly presentations: number;
  readonly fewestEpochs: number;
  readonly mostEpochs: number;
}

/** What a run trains on. */
export interface Share {
  readonly rows: number;
  readonly epochs: number;
}

const FEWEST_EPOCHS = 3;
const MOST_EPOCHS = 20;
/** A forward pass costs about a third of a training step. */
const FORWARD_SHARE = 1 / 3;

/** All data; small sets more often, as the paper's sweep over 3 and 20 epochs comes to. */
export const FULL_EFFORT: Effort = {
  presentations: Number.POSITIVE_INFINITY,
  fewestEpochs: FEWEST_EPOCHS,
  mostEpochs: FEWEST_EPOCHS,
};

/** So many examples a run; small sets are seen more often. */
export function effortOf(presentations: number): Effort {
  return { presentations, fewestEpochs: FEWEST_EPOCHS, mostEpochs: MOST_EPOCHS };
}

export function shareOf({ presentations, fewestEpochs, mostEpochs }: Effort, trainingRows: number): Share {
  if (presentations === Number.POSITIVE_INFINITY) return { rows: trainingRows, epochs: fewestEpochs };
  const rows = Math.max(1, Math.min(trainingRows, Math.floor(presentations / fewestEpochs)));
  const epochs = Math.max(fewestEpochs, Math.min(mostEpochs, Math.floor(presentations / rows)));
  return { rows, epochs };
}

/** Training tokens per second that a method was measured at. */
export type Speeds = ReadonlyMap<Contestant, number>;

/** Mean tokens of a set's examples. */
export type Lengths = ReadonlyMap<DataSet, number>;

/** Seconds for one run of every contestant on every set. */
export function estimate(effort: Effort, sets: readonly DataSet[], speeds: Speeds, lengths: Lengths): number {
  let seconds = 0;
  for (const set of sets) {
    const { rows, epochs } = shareOf(effort, set.train.length);
    const forward = epochs * Math.min(set.validation.length, rows) + set.test.length;
    const examples = rows * epochs + forward * FORWARD_SHARE;
    for (const speed of speeds.values()) seconds += (examples * (lengths.get(set) ?? 0)) / speed;
  }
  return seconds;
}

/** The largest effort whose estimate is within `seconds`; at least a batch of 32 three times. */
export function effortWithin(
  seconds: number,
  sets: readonly DataSet[],
  speeds: Speeds,
  lengths: Lengths,
): Effort {
  let low = 96;
  let high = 2 ** 20;
  while (high - low > 16) {
    const middle = (low + high) >> 1;
    if (estimate(effortOf(middle), sets, speeds, lengths) <= seconds) low = middle;
    else high = middle;
  }
  return effortOf(low);
}
