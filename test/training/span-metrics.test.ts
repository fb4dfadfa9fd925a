import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/errors';
import { type SpanPartScores, spanMetrics } from '../../src/training/span-metrics';
import golden from '../golden/task_metrics.json' with { type: 'json' };

describe('span metrics', () => {
  it.each(golden.spans)("equal those of SQuAD's script: $name", ({ outcomes, exactMatch, f1 }) => {
    const metrics = spanMetrics(outcomes);
    expect(metrics.exactMatch).toBe(exactMatch);
    expect(metrics.f1).toBeCloseTo(f1, 14);
  });

  it.each(golden.spansWithNone)("equal those of SQuAD 2.0's script: $name", (golden) => {
    const { outcomes, all, withoutAnswer } = golden;
    const withAnswer = 'withAnswer' in golden ? golden.withAnswer : undefined;
    const metrics = spanMetrics(outcomes);
    expect(metrics.exactMatch).toBeCloseTo(all.exactMatch, 14);
    expect(metrics.f1).toBeCloseTo(all.f1, 14);
    expect(metrics.withoutAnswer).toEqual(near(withoutAnswer));
    expect(metrics.withAnswer).toEqual(withAnswer && near(withAnswer));
  });

  it('refuse to score nothing', () => {
    expect(() => spanMetrics([])).toThrow(DataError);
  });
});

function near({ exactMatch, f1, examples }: SpanPartScores) {
  return { exactMatch: expect.closeTo(exactMatch, 14), f1: expect.closeTo(f1, 14), examples };
}
