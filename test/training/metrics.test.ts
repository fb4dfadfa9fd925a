import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/errors';
import { classificationMetrics, regressionMetrics } from '../../src/training/metrics';
import { multiLabelMetrics } from '../../src/training/multi-label-metrics';
import golden from '../golden/metrics.json' with { type: 'json' };

describe('classification metrics', () => {
  it.each(golden.classification)('equal those of scikit-learn: $name', (expected) => {
    const metrics = classificationMetrics({ ...expected, loss: 0.25 });
    expect(metrics.accuracy).toBeCloseTo(expected.accuracy, 14);
    expect(metrics.f1).toBeCloseTo(expected.f1, 14);
    expect(metrics.matthews).toBeCloseTo(expected.matthews, 14);
    expect(metrics.confusion).toEqual(expected.confusion);
    expect(metrics.loss).toBe(0.25);
    expect(metrics.examples).toBe(expected.actual.length);
  });

  it.each([
    { actual: [0, 2], predicted: [0, 1] },
    { actual: [0, 1], predicted: [0, 2] },
  ])('refuse a class that is not one of the labels: %o', (outcome) => {
    expect(() => classificationMetrics({ ...outcome, labelCount: 2, loss: 0 })).toThrow(DataError);
  });

  it('refuse to score nothing', () => {
    expect(() => classificationMetrics({ actual: [], predicted: [], labelCount: 2, loss: 0 })).toThrow(
      DataError,
    );
  });
});

describe('multi-label metrics', () => {
  it.each(golden.multiLabel)('equal those of scikit-learn: $name', (expected) => {
    const labelCount = expected.labelF1.length;
    const metrics = multiLabelMetrics({ ...expected, labelCount, loss: 0.75 });
    expect(metrics.exactMatch).toBeCloseTo(expected.exactMatch, 14);
    expect(metrics.microF1).toBeCloseTo(expected.microF1, 14);
    expect(metrics.macroF1).toBeCloseTo(expected.macroF1, 14);
    metrics.labelF1.forEach((f1, label) => {
      expect(f1).toBeCloseTo(expected.labelF1[label] ?? Number.NaN, 14);
    });
    expect(metrics.loss).toBe(0.75);
    expect(metrics.examples).toBe(expected.actual.length);
  });

  it('refuse to score nothing', () => {
    expect(() => multiLabelMetrics({ actual: [], predicted: [], labelCount: 2, loss: 0 })).toThrow(DataError);
  });
});

describe('regression metrics', () => {
  it.each(golden.regression)('equal those of scipy: $name', (expected) => {
    const metrics = regressionMetrics({ ...expected, loss: 0.5 });
    // With a mean of 1e6 and a spread of 1, centring costs 6 of the 16 digits in either library.
    expect(metrics.pearson).toBeCloseTo(expected.pearson, 9);
    expect(metrics.spearman).toBeCloseTo(expected.spearman, 14);
    expect(metrics.meanSquaredError).toBeCloseTo(expected.meanSquaredError, 12);
    expect(metrics.loss).toBe(0.5);
    expect(metrics.examples).toBe(expected.actual.length);
  });

  it.each([
    { actual: [1, 2, 3], predicted: [0.1, 0.1, 0.1] },
    { actual: [0.1, 0.1, 0.1], predicted: [1, 2, 3] },
    { actual: [4], predicted: [5] },
  ])('count a constant list as no correlation: %o', (outcome) => {
    const metrics = regressionMetrics({ ...outcome, loss: 0 });
    expect([metrics.pearson, metrics.spearman]).toEqual([0, 0]);
  });

  it('show NaN predictions as NaN rather than as a score', () => {
    const metrics = regressionMetrics({ actual: [1, 2, 3], predicted: [1, Number.NaN, 3], loss: 0 });
    expect([metrics.pearson, metrics.meanSquaredError]).toEqual([Number.NaN, Number.NaN]);
  });

  it('refuse to score nothing', () => {
    expect(() => regressionMetrics({ actual: [], predicted: [], loss: 0 })).toThrow(DataError);
  });
});
