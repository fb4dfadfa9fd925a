import type { ExampleRow, TaskKind } from '../../engine';
import { labelOf, textKey } from './labels';
import { seededRandom, shuffled } from './seeded-random';

/** Rows of the examples, ascending. */
export interface Split {
  readonly train: readonly number[];
  readonly heldOut: readonly number[];
}

/**
 * Holds out a share of the examples: of each class its share (of a regression's examples any), so that both parts look alike.
 * A class of two examples or more keeps one in training at least. Rows of the same text stay together, for a text that was
 * trained on tests nothing; they count with the class of the first. A function of the rows, the share and the seed alone.
 */
export function splitExamples(
  examples: readonly ExampleRow[],
  kind: TaskKind,
  options: { readonly heldOut: number; readonly seed: number },
): Split {
  const random = seededRandom(options.seed);
  const strata = groupBy(groupsOfEqualText(examples), (rows) => {
    const first = examples[rows[0] ?? 0];
    return kind === 'regression' || first === undefined ? '' : labelOf(first);
  });
  const wanted = shareOut(
    strata.map((groups) => ({ size: sizeOf(groups), most: sizeOf(groups) - 1 })),
    options.heldOut,
  );
  const heldOut = new Set<number>();
  strata.forEach((groups, index) => {
    let left = wanted[index] ?? 0;
    // One group stays in training whatever its size.
    for (const rows of shuffled(groups, random).slice(1)) {
      if (rows.length > left) continue;
      left -= rows.length;
      for (const row of rows) heldOut.add(row);
    }
  });
  const rows = examples.map((_, row) => row);
  return {
    train: rows.filter((row) => !heldOut.has(row)),
    heldOut: rows.filter((row) => heldOut.has(row)),
  };
}

/** Whole numbers whose sum is the share of the whole, nearest to each stratum's share (largest remainders), within bounds. */
function shareOut(
  strata: readonly { readonly size: number; readonly most: number }[],
  share: number,
): number[] {
  const exact = strata.map(({ size }) => size * share);
  const counts = exact.map((value, i) => Math.min(Math.floor(value), Math.max(0, strata[i]?.most ?? 0)));
  const whole = Math.round(exact.reduce((sum, value) => sum + value, 0));
  const byRemainder = exact
    .map((value, index) => ({ index, remainder: value - Math.floor(value) }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index);
  let missing = whole - counts.reduce((sum, count) => sum + count, 0);
  for (const { index } of byRemainder) {
    if (missing <= 0) break;
    if ((counts[index] ?? 0) >= (strata[index]?.most ?? 0)) continue;
    counts[index] = (counts[index] ?? 0) + 1;
    missing -= 1;
  }
  return counts;
}

function groupsOfEqualText(examples: readonly ExampleRow[]): number[][] {
  return groupBy(
    examples.map((_, row) => row),
    (row) => textKey(examples[row] ?? { text: '' }),
  );
}

/** In the order of the first item of each group. */
function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

function sizeOf(groups: readonly (readonly number[])[]): number {
  return groups.reduce((sum, rows) => sum + rows.length, 0);
}
