import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { learningRateAt, warmupStepCount } from '../../src/training/learning-rate';

describe('the learning rate', () => {
  it('rises linearly from 0, reaches the peak, and falls linearly towards 0', () => {
    const rates = Array.from({ length: 10 }, (_, step) =>
      learningRateAt(step, { peak: 8, totalSteps: 10, warmupSteps: 2 }),
    );
    expect(rates).toEqual([0, 4, 8, 7, 6, 5, 4, 3, 2, 1]);
  });

  it('begins at the peak without warm-up', () => {
    expect(learningRateAt(0, { peak: 3, totalSteps: 1, warmupSteps: 0 })).toBe(3);
  });

  it('is never above the peak, never negative, and 0 after the end', () => {
    fc.assert(
      fc.property(
        fc.nat(2000),
        fc.integer({ min: 1, max: 1000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (step, totalSteps, ratio) => {
          const warmupSteps = warmupStepCount(totalSteps, ratio);
          const rate = learningRateAt(step, { peak: 3e-4, totalSteps, warmupSteps });
          expect(rate).toBeGreaterThanOrEqual(0);
          expect(rate).toBeLessThanOrEqual(3e-4);
          if (step >= totalSteps) expect(rate).toBe(0);
        },
      ),
    );
  });

  it('warms up over the whole steps within the ratio', () => {
    expect([125, 20, 9, 1].map((totalSteps) => warmupStepCount(totalSteps, 0.1))).toEqual([12, 2, 0, 0]);
  });
});
