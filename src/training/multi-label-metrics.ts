import { DataError } from '../errors';
import type { MultiLabelMetrics } from './types';

export interface MultiLabelOutcome {
  /** `[examples][labels]`: 1 where an example has the label, else 0. */
  readonly actual: readonly (readonly number[])[];
  /** Likewise, where it was predicted. */
  readonly predicted: readonly (readonly number[])[];
  readonly labelCount: number;
  /** Mean over the examples and labels. */
  readonly loss: number;
}

/**
 * Exact matches, micro and macro F1, as scikit-learn's accuracy_score and f1_score with zero_division=0.
 * @throws DataError for no examples
 */
export function multiLabelMetrics({
  actual,
  predicted,
  labelCount,
  loss,
}: MultiLabelOutcome): MultiLabelMetrics {
  const examples = actual.length;
  if (examples === 0) throw new DataError(undefined, undefined, 'there are no examples to score');
  const counts = Array.from({ length: labelCount }, () => ({ hits: 0, errors: 0 }));
  let exact = 0;
  actual.forEach((row, i) => {
    let isExact = true;
    counts.forEach((count, label) => {
      const [is, said] = [row[label] === 1, predicted[i]?.[label] === 1];
      if (is && said) count.hits += 1;
      if (is !== said) {
        count.errors += 1;
        isExact = false;
      }
    });
    if (isExact) exact += 1;
  });
  const labelF1 = counts.map(f1);
  const all = {
    hits: counts.reduce((sum, { hits }) => sum + hits, 0),
    errors: counts.reduce((sum, { errors }) => sum + errors, 0),
  };
  return {
    exactMatch: exact / examples,
    microF1: f1(all),
    macroF1: labelF1.reduce((sum, value) => sum + value, 0) / labelCount,
    labelF1,
    loss,
    examples,
  };
}

/** 2·hits / (2·hits + false positives + false negatives); 0 for a label that neither occurs nor is predicted. */
function f1({ hits, errors }: { readonly hits: number; readonly errors: number }): number {
  return hits === 0 ? 0 : (2 * hits) / (2 * hits + errors);
}
