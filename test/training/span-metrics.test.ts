import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/errors';
import { spanMetrics } from '../../src/training/span-metrics';
import golden from '../golden/task_metrics.json' with { type: 'json' };

describe('span metrics', () => {
  it.each(golden.spans)("equal those of SQuAD's script: $name", ({ outcomes, exactMatch, f1 }) => {
    const metrics = spanMetrics(outcomes);
    expect(metrics.exactMatch).toBe(exactMatch);
    expect(metrics.f1).toBeCloseTo(f1, 14);
  });

  it('refuse to score nothing, and a question without a right answer', () => {
    expect(() => spanMetrics([])).toThrow(DataError);
    expect(() => spanMetrics([{ predicted: 'x', answers: [] }])).toThrow(/question 1 has no right answer/);
  });
});
