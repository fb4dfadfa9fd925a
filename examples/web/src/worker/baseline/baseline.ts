import type { TaskKind, TaskResult } from '../../engine';
import { Breather } from '../breather';
import { seededRandom, shuffled } from '../data/seeded-random';
import { choosePenalty } from './choose-penalty';
import { fitLinearModel, type LinearModel, type Targets } from './linear-model';

/** An example whose text is embedded. */
export interface EmbeddedExample {
  /** The frozen backbone's pooled output, `[hiddenSize]`. */
  readonly features: ArrayLike<number>;
  /** The number of its class, or its value. */
  readonly target: number;
}

/** More training examples than this make the fit long, and it no better. */
export const MOST_BASELINE_EXAMPLES = 5000;

/** The training examples that the baseline is fitted to: all, or a random part. */
export function baselineSample<T>(train: readonly T[], seed: number): T[] {
  return train.length <= MOST_BASELINE_EXAMPLES
    ? [...train]
    : shuffled(train, seededRandom(seed)).slice(0, MOST_BASELINE_EXAMPLES);
}

export interface BaselineTask {
  readonly kind: TaskKind;
  /** Classes; 1 for a regression. */
  readonly outputs: number;
  readonly train: readonly EmbeddedExample[];
  readonly heldOut: readonly EmbeddedExample[];
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What the frozen backbone gives without adapters: logistic (ridge) regression on its pooled output, the penalty chosen by
 * cross-validation on the training examples. The accuracy (Pearson's correlation) on the held-out ones.
 */
export async function baselineScore(task: BaselineTask): Promise<TaskResult['baseline']['score']> {
  const breather = new Breather(task.signal);
  const features = task.train.map((example) => example.features);
  const values = task.train.map(({ target }) => target);
  const targets: Targets =
    task.kind === 'regression'
      ? { kind: 'numbers', values }
      : { kind: 'classes', classes: task.outputs, values };
  const penalty = await choosePenalty(features, targets, { seed: task.seed, breather });
  const model = await fitLinearModel(features, targets, { penalty, breather });
  return task.kind === 'regression'
    ? correlation(
        task.heldOut.map((example) => model.predict(example.features)[0] ?? Number.NaN),
        task.heldOut.map(({ target }) => target),
      )
    : accuracy(model, task.heldOut);
}

function accuracy(model: LinearModel, examples: readonly EmbeddedExample[]): number {
  const right = examples.filter(({ features, target }) => {
    const scores = model.predict(features);
    return scores.indexOf(Math.max(...scores)) === target;
  });
  return right.length / examples.length;
}

/** Pearson's; 0 where one list is constant, as in the library's metrics. */
function correlation(x: readonly number[], y: readonly number[]): number {
  if (new Set(x).size < 2 || new Set(y).size < 2) return 0;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(x), mean(y)];
  let products = 0;
  let squaresX = 0;
  let squaresY = 0;
  x.forEach((value, i) => {
    const [dx, dy] = [value - meanX, (y[i] ?? Number.NaN) - meanY];
    products += dx * dy;
    squaresX += dx * dx;
    squaresY += dy * dy;
  });
  return products / Math.sqrt(squaresX * squaresY);
}
