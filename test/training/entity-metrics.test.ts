import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/errors';
import { entityMetrics } from '../../src/training/entity-metrics';
import golden from '../golden/task_metrics.json' with { type: 'json' };

describe('entity metrics', () => {
  it.each(golden.entities)('equal those of seqeval: $name', ({ actual, predicted, byType, ...expected }) => {
    const metrics = entityMetrics({ actual, predicted });
    for (const score of ['precision', 'recall', 'f1', 'accuracy'] as const) {
      expect(metrics[score], score).toBeCloseTo(expected[score], 14);
    }
    // As entries: a type may be called "__proto__".
    expect(rounded(Object.entries(metrics.byType))).toEqual(rounded(byType));
  });

  it.each([
    ['sentences', { actual: [['O']], predicted: [] }, /1 sentences and 0/],
    ['tags', { actual: [['O'], ['O']], predicted: [['O'], ['O', 'O']] }, /1 tags of sentence 2 and 2/],
  ])('refuse another number of %s', (_, outcome, message) => {
    expect(() => entityMetrics(outcome)).toThrow(DataError);
    expect(() => entityMetrics(outcome)).toThrow(message);
  });

  it.each([
    { actual: [], predicted: [] },
    { actual: [[]], predicted: [[]] },
  ])('refuse to score nothing: %o', (outcome) => {
    expect(() => entityMetrics(outcome)).toThrow(DataError);
  });
});

/** The last bit of a quotient may differ. */
function rounded(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, part) =>
    typeof part === 'number' ? Number(part.toFixed(14)) : part,
  );
}
