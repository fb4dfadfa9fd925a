import { expect } from 'vitest';
import { summary } from './golden-formula';

/**
 * Compares sums over tensors. What is rounded is a tensor's elements, so its norm is the measure; of tensors whose gradient is
 * zero but for rounding, as that of the keys' biases is, a hundredth of the largest norm.
 */
export function expectSummaries(
  found: (name: string) => ArrayLike<number>,
  expected: Readonly<Record<string, readonly number[]>>,
  tolerance: number,
): void {
  const largest = Math.max(...Object.values(expected).map(([norm = 0]) => norm));
  for (const [name, wanted] of Object.entries(expected)) {
    const values = summary(found(name));
    const scale = Math.max(wanted[0] ?? 0, largest / 100);
    values.forEach((value, i) => {
      expect(Math.abs(value - (wanted[i] ?? Number.NaN)) / scale, `${name}, ${i}`).toBeLessThan(tolerance);
    });
  }
}
