import { OptionError } from '../../errors';
import { IGNORED_LABEL } from '../../ops/cross_entropy';
import type { EncodedExample } from '../batches';
import type { ClassWeights } from '../types';
import type { Weighing } from './head';

/**
 * Weights of classes of which each labelled row has one; an example then weighs what its rows' labels do, so that the loss is
 * PyTorch's weighted mean. Throws OptionError.
 */
export function weighClasses(
  choice: ClassWeights,
  labels: readonly string[],
  examples: readonly EncodedExample[],
): Weighing {
  const counts = labels.map(() => 0);
  let rows = 0;
  for (const example of examples) {
    for (const number of Array.from(example.labels)) {
      if (number === IGNORED_LABEL) continue;
      counts[number] = (counts[number] ?? 0) + 1;
      rows++;
    }
  }
  const occurring = counts.filter((count) => count > 0).length;
  // scikit-learn's compute_class_weight('balanced'), whose classes are those that occur.
  const weights = classWeights(choice, labels, counts, (count) => rows / (occurring * count));
  return {
    weights,
    examples: examples.map((example) => ({
      ...example,
      // No class has IGNORED_LABEL's number.
      weight: Array.from(example.labels).reduce((sum, number) => sum + (weights[number] ?? 0), 0),
    })),
  };
}

/**
 * The weight of each label, `[labels]`: the user's, or what `balance` makes of how many examples have the label; 1 for a label that
 * is not named, or that no example has.
 *
 * @throws OptionError for a label that the task does not have, or a weight that is not above 0
 */
export function classWeights(
  choice: ClassWeights,
  labels: readonly string[],
  counts: readonly number[],
  balance: (count: number) => number,
): Float32Array<ArrayBuffer> {
  if (choice === 'balanced') {
    return Float32Array.from(counts, (count) => (count === 0 ? 1 : balance(count)));
  }
  if (typeof choice !== 'object') {
    throw new OptionError('classWeights', `"${choice}" is neither 'balanced' nor numbers by label`);
  }
  for (const [label, weight] of Object.entries(choice)) {
    if (!labels.includes(label)) {
      throw new OptionError('classWeights', `${JSON.stringify(label)} is not one of the task's labels`);
    }
    if (!Number.isFinite(weight) || weight <= 0) {
      throw new OptionError('classWeights', `${weight} for ${JSON.stringify(label)} is not a number above 0`);
    }
  }
  return Float32Array.from(labels, (label) => (Object.hasOwn(choice, label) ? (choice[label] ?? 1) : 1));
}
