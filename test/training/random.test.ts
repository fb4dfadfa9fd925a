import { describe, expect, it } from 'vitest';
import { OptionError } from '../../src/errors';
import { Random } from '../../src/training/random';
import { Xoshiro128 } from '../../src/training/xoshiro128';

function draw(random: Random, count = 8): number[] {
  return Array.from({ length: count }, () => random.below(2 ** 32));
}

function order(random: Random, length: number): Uint32Array {
  const indices = Uint32Array.from({ length }, (_, i) => i);
  random.shuffle(indices);
  return indices;
}

/** Σ (observed − expected)² / expected over equally likely cells. */
function chiSquared(counts: readonly number[]): number {
  const expected = counts.reduce((a, b) => a + b, 0) / counts.length;
  return counts.reduce((total, count) => total + (count - expected) ** 2 / expected, 0);
}

it('xoshiro128** gives the published first numbers for the state 1, 2, 3, 4', () => {
  const bits = new Xoshiro128(1, 2, 3, 4);
  const first = Array.from({ length: 10 }, () => bits.next());
  expect(first).toEqual([
    11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
  ]);
});

describe('Random', () => {
  it('gives the same numbers for the same key', () => {
    expect(draw(new Random(7, 'order', 2))).toEqual(draw(new Random(7, 'order', 2)));
  });

  it('gives other numbers for another seed, purpose or index', () => {
    const keys: [number, string, number][] = [
      [7, 'order', 2],
      [8, 'order', 2],
      [-7, 'order', 2],
      [7 + 2 ** 32, 'order', 2],
      [7, 'orders', 2],
      [7, 'redro', 2],
      [7, '', 2],
      [7, 'order', 3],
      [2, 'order', 7],
      [0, 'order', 0],
    ];
    const streams = keys.map((key) => draw(new Random(...key)).join());
    expect(new Set(streams).size).toBe(keys.length);
  });

  it.each([1.5, Number.NaN, 2 ** 53])('refuses the seed %d', (seed) => {
    expect(() => new Random(seed, 'order')).toThrow(OptionError);
    expect(() => new Random(0, 'order', seed)).toThrow(OptionError);
  });

  it('keeps to its numbers from release to release: a resumed run needs them', () => {
    // Made by MurmurHash3, xoshiro128** and Fisher–Yates written anew in Python, with its whole numbers.
    expect(draw(new Random(0, 'order', 1), 3)).toEqual([2552555629, 3354454126, 2839633860]);
    expect(draw(new Random(-5, 'order', 2 ** 40 + 3), 3)).toEqual([3373560976, 3738165077, 46202586]);
    expect([...order(new Random(0, 'order', 1), 8)]).toEqual([1, 6, 4, 3, 7, 0, 2, 5]);
  });

  it('draws every number below a bound equally often', () => {
    const random = new Random(1, 'test');
    const counts = [0, 0, 0, 0, 0, 0, 0];
    for (let i = 0; i < 70_000; i++) {
      const value = random.below(7);
      counts[value] = (counts[value] ?? Number.NaN) + 1;
    }
    // 6 degrees of freedom: 22.5 is exceeded by chance once in a thousand seeds; this seed is fixed.
    expect(chiSquared(counts)).toBeLessThan(22.5);
  });

  it('does not favour small numbers when the bound does not divide 2^32', () => {
    // Without redrawing, numbers below 2^30 would come twice as often: half of all instead of a third.
    const random = new Random(2, 'test');
    const bound = 3 * 2 ** 30;
    const values = Array.from({ length: 30_000 }, () => random.below(bound));
    expect(values.every((value) => value < bound)).toBe(true);
    const small = values.filter((value) => value < 2 ** 30).length;
    expect(Math.abs(small / values.length - 1 / 3)).toBeLessThan(0.01);
  });

  it('draws uniform numbers in [0, 1) with the mean and variance of such', () => {
    const random = new Random(3, 'test');
    const values = Array.from({ length: 50_000 }, () => random.uniform());
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    // Three standard errors: 0.289/√50000 = 1.3e-3; of the variance 0.0745/√50000 = 3.3e-4.
    expect(Math.abs(mean - 1 / 2)).toBeLessThan(3.9e-3);
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(1e-3);
    // Finer than 32 bits.
    expect(values.some((value) => (value * 2 ** 32) % 1 !== 0)).toBe(true);
  });

  it('draws a truncated normal: within 2σ, and in its shape', () => {
    const random = new Random(4, 'test');
    const sigma = 0.01;
    const count = 50_000;
    const values = Array.from({ length: count }, () => random.truncatedNormal(sigma));
    expect(values.every((value) => Math.abs(value) <= 2 * sigma)).toBe(true);
    const mean = values.reduce((a, b) => a + b, 0) / count;
    const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / count);
    expect(Math.abs(mean)).toBeLessThan(1.2e-4);
    // √(1 − 4φ(2)/(2Φ(2) − 1)) = 0.8796; the standard error is 0.0022.
    expect(deviation / sigma).toBeGreaterThan(0.873);
    expect(deviation / sigma).toBeLessThan(0.886);
    // (2Φ(1) − 1) / (2Φ(2) − 1) = 0.7153 lie within σ; the standard error is 0.002.
    const within = values.filter((value) => Math.abs(value) < sigma).length / count;
    expect(Math.abs(within - 0.7153)).toBeLessThan(0.006);
  });

  it('shuffles: a permutation, and every order of four equally often', () => {
    const counts = new Map<string, number>();
    for (let index = 0; index < 24_000; index++) {
      const shuffled = order(new Random(0, 'test', index), 4);
      expect([...shuffled].sort()).toEqual([0, 1, 2, 3]);
      counts.set(shuffled.join(), (counts.get(shuffled.join()) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    // 23 degrees of freedom: 49.7 is exceeded by chance once in a thousand seeds; these are fixed.
    expect(chiSquared([...counts.values()])).toBeLessThan(49.7);
  });

  it('shuffles nothing and one thing', () => {
    expect([...order(new Random(0, 'test'), 0)]).toEqual([]);
    expect([...order(new Random(0, 'test'), 1)]).toEqual([0]);
  });
});
