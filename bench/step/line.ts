export interface Line {
  readonly slope: number;
  readonly intercept: number;
  /** y minus the line, at each x. */
  readonly residuals: readonly number[];
  /** 1 − Σ residual² / Σ (y − mean)². */
  readonly rSquared: number;
}

/** The line of least squares through (x, y). Throws RangeError for fewer than two different x. */
export function fitLine(xs: readonly number[], ys: readonly number[]): Line {
  if (xs.length !== ys.length || new Set(xs).size < 2) {
    throw new RangeError('a line needs at least two different x, and a y for each');
  }
  const meanX = mean(xs);
  const meanY = mean(ys);
  const slope =
    sumOf(xs, (x, i) => (x - meanX) * ((ys[i] ?? 0) - meanY)) / sumOf(xs, (x) => (x - meanX) ** 2);
  const intercept = meanY - slope * meanX;
  const residuals = ys.map((y, i) => y - intercept - slope * (xs[i] ?? 0));
  const rSquared = 1 - sumOf(residuals, (residual) => residual ** 2) / sumOf(ys, (y) => (y - meanY) ** 2);
  return { slope, intercept, residuals, rSquared };
}

function mean(values: readonly number[]): number {
  return sumOf(values, (value) => value) / values.length;
}

function sumOf(values: readonly number[], of: (value: number, index: number) => number): number {
  return values.reduce((sum, value, index) => sum + of(value, index), 0);
}
