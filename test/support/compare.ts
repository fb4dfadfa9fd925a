/** Largest absolute difference, relative to the expected tensor's largest absolute value. */
export function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const value = expected[i] ?? Number.NaN;
    const distance = Math.abs((found[i] ?? Number.NaN) - value);
    if (!(distance <= difference)) difference = distance;
    largest = Math.max(largest, Math.abs(value));
  }
  return largest === 0 ? difference : difference / largest;
}
