import { describe, expect, it } from 'vitest';
import { betterPeaks, copyRateNear, peaksTable } from '../../bench/probe/peaks';
import { tableText } from '../../bench/report/text';
import { median } from '../../bench/statistics';
import { fitLine } from '../../bench/step/line';
import { timeOne } from '../../bench/timing';

const peaks = {
  gigaflops: 50,
  method: 'in registers',
  copies: [
    { bytes: 2 ** 10, gigabytesPerSecond: 100 },
    { bytes: 2 ** 20, gigabytesPerSecond: 20 },
  ],
};

describe('the line of least squares', () => {
  it('finds a line that is there', () => {
    const { slope, intercept, residuals, rSquared } = fitLine([1, 2, 4], [5, 7, 11]);
    expect(slope).toBeCloseTo(2, 12);
    expect(intercept).toBeCloseTo(3, 12);
    expect(rSquared).toBeCloseTo(1, 12);
    for (const residual of residuals) expect(residual).toBeCloseTo(0, 12);
  });

  it('leaves what is not on it', () => {
    // By hand: means 2 and 2; slope (−1·−1 + 0·1 + 1·0) / 2, R² = 1 − 1.5 / 2.
    const { slope, intercept, residuals, rSquared } = fitLine([1, 2, 3], [1, 3, 2]);
    expect([slope, intercept, rSquared]).toEqual([0.5, 1, 0.25]);
    expect(residuals).toEqual([-0.5, 1, -0.5]);
  });

  it('needs two different x', () => {
    expect(() => fitLine([1, 1], [1, 2])).toThrow(RangeError);
  });
});

describe('a median', () => {
  it('is the upper one of the middle, and of nothing NaN', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(3);
    expect(median([])).toBeNaN();
  });
});

describe('peaks', () => {
  it('compare with the copy whose size is nearest as a ratio', () => {
    expect(copyRateNear(peaks, 1)).toBe(100);
    expect(copyRateNear(peaks, 2 ** 15 - 1)).toBe(100);
    expect(copyRateNear(peaks, 2 ** 15 + 1)).toBe(20);
  });

  it('keep the better of two measurements of each probe', () => {
    const other = {
      ...peaks,
      gigaflops: 60,
      copies: [
        { bytes: 2 ** 10, gigabytesPerSecond: 90 },
        { bytes: 2 ** 20, gigabytesPerSecond: 30 },
      ],
    };
    const better = betterPeaks(peaks, other);
    expect(better.gigaflops).toBe(60);
    expect(better.copies.map(({ gigabytesPerSecond }) => gigabytesPerSecond)).toEqual([100, 30]);
  });

  it('are printed in columns, numbers to the right', () => {
    expect(tableText(peaksTable(peaks)).split('\n').slice(2)).toEqual([
      'probe         size            rate  unit',
      '------------  ------------  ------  -------',
      'multiply-add  in registers   50.00  GFLOP/s',
      'copy          1 KiB         100.00  GB/s',
      'copy          1 MiB          20.00  GB/s',
      '',
    ]);
  });
});

describe('the time of one repetition', () => {
  const effort = { run: 10, all: 20, warmUp: 0 };
  /** A device that takes 5 ms to start and `each` for a repetition, by a clock of its own. */
  const device = (each: number) => async (repeats: number) => ({
    run: async () => 5 + repeats * each,
    dispose() {},
  });

  it('leaves out what a run costs by itself', async () => {
    expect(await timeOne(device(20), effort)).toBeCloseTo(20, 9);
  });

  it('repeats what is short until it can be seen', async () => {
    const asked: number[] = [];
    const time = await timeOne(async (repeats) => {
      asked.push(repeats);
      return device(0.01)(repeats);
    }, effort);
    expect(time).toBeCloseTo(0.01, 9);
    expect(Math.max(...asked) * 0.01).toBeGreaterThanOrEqual(10);
  });

  it('says so where nothing can be seen', async () => {
    await expect(timeOne(device(0), effort)).rejects.toThrow(/no time that the clock can see/);
  });

  it('gives back what it prepared, also where a run fails', async () => {
    let open = 0;
    const failing = async () => {
      open++;
      return {
        run: async (): Promise<number> => {
          throw new Error('lost');
        },
        dispose: () => {
          open--;
        },
      };
    };
    await expect(timeOne(failing, effort)).rejects.toThrow('lost');
    expect(open).toBe(0);
  });
});
