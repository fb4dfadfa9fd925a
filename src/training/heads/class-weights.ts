import { OptionError } from '../../errors';
import type { ClassWeights } from '../types';

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
