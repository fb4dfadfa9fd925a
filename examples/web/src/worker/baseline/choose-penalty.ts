import type { Breather } from '../breather';
import { seededRandom, shuffled } from '../data/seeded-random';
import { type Features, fitLinearModel, type LinearModel, type Targets } from './linear-model';

/** λ as of the mean loss: from nearly free to nearly constant. */
const PENALTIES = [1, 0.1, 0.01, 0.001];
const FOLDS = 3;
/** Looser than for the final fit: folds are compared, not used. */
const FOLD_TOLERANCE = 1e-3;
/** Cross-validation takes this many examples at most. */
const MOST_EXAMPLES = 1500;

/** The penalty with the smallest error in cross-validation on the training examples alone; the strongest of equal ones. */
export async function choosePenalty(
  features: Features,
  targets: Targets,
  options: { readonly seed: number; readonly breather: Breather },
): Promise<number> {
  const { seed, breather } = options;
  const order = shuffled([...features.keys()], seededRandom(seed)).slice(0, MOST_EXAMPLES);
  let best = { penalty: PENALTIES[0] ?? 1, error: Number.POSITIVE_INFINITY };
  for (const penalty of PENALTIES) {
    let error = 0;
    for (let fold = 0; fold < FOLDS; fold++) {
      const inFold = order.filter((_, place) => place % FOLDS === fold);
      const outside = order.filter((_, place) => place % FOLDS !== fold);
      if (inFold.length === 0 || outside.length === 0) continue;
      const model = await fitLinearModel(pick(features, outside), pickTargets(targets, outside), {
        penalty,
        breather,
        gradientTolerance: FOLD_TOLERANCE,
      });
      for (const row of inFold) error += errorOf(model, features[row] ?? [], targets, row);
    }
    if (error < best.error) best = { penalty, error };
  }
  return best.penalty;
}

/** 1 for a wrong class, the squared error of a number. */
function errorOf(model: LinearModel, features: ArrayLike<number>, targets: Targets, row: number): number {
  const scores = model.predict(features);
  const wanted = targets.values[row] ?? Number.NaN;
  if (targets.kind === 'numbers') return ((scores[0] ?? Number.NaN) - wanted) ** 2;
  return scores.indexOf(Math.max(...scores)) === wanted ? 0 : 1;
}

function pick<T>(items: readonly T[], rows: readonly number[]): T[] {
  return rows.flatMap((row) => {
    const item = items[row];
    return item === undefined ? [] : [item];
  });
}

function pickTargets(targets: Targets, rows: readonly number[]): Targets {
  return { ...targets, values: pick(targets.values, rows) };
}
