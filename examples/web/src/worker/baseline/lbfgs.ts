import type { Breather } from '../breather';

/** A smooth function: returns its value at `x` and fills `gradient`. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

export interface MinimizeOptions {
  /** Default 200. */
  readonly maxIterations?: number | undefined;
  /** Stops where no component of the gradient is larger. Default 1e-5. */
  readonly gradientTolerance?: number | undefined;
  readonly breather: Breather;
}

/** Pairs of steps and gradient changes that are remembered. */
const HISTORY = 10;
/** Of the decrease that the gradient promises, what a step must bring (Armijo). */
const SUFFICIENT = 1e-4;
const MOST_HALVINGS = 30;

/**
 * Limited-memory BFGS with backtracking (Nocedal and Wright, Numerical Optimization, 2nd edition, algorithms 7.4 and 3.1), for
 * convex functions: a pair whose curvature is not positive is not remembered. Returns the minimizer; `start` is left alone.
 */
export async function minimize(
  objective: Objective,
  start: Float64Array,
  { maxIterations = 200, gradientTolerance = 1e-5, breather }: MinimizeOptions,
): Promise<Float64Array> {
  const size = start.length;
  let x = Float64Array.from(start);
  let gradient = new Float64Array(size);
  let value = objective(x, gradient);
  const pairs: Pair[] = [];
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    if (largest(gradient) <= gradientTolerance) break;
    const direction = descentDirection(gradient, pairs);
    const slope = dot(direction, gradient);
    // Nothing is known of the scale in the first iteration.
    let length = pairs.length === 0 ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1;
    const nextX = new Float64Array(size);
    const nextGradient = new Float64Array(size);
    let nextValue = Number.POSITIVE_INFINITY;
    for (let halving = 0; halving < MOST_HALVINGS; halving++, length /= 2) {
      for (let i = 0; i < size; i++) nextX[i] = at(x, i) + length * at(direction, i);
      nextValue = objective(nextX, nextGradient);
      await breather.breathe();
      if (nextValue <= value + SUFFICIENT * length * slope) break;
    }
    // Rounding hides what is left to gain.
    if (!(nextValue < value)) break;
    const step = difference(nextX, x);
    const change = difference(nextGradient, gradient);
    const curvature = dot(step, change);
    if (curvature > 1e-12 * dot(change, change)) {
      pairs.push({ step, change, curvature });
      if (pairs.length > HISTORY) pairs.shift();
    }
    x = nextX;
    gradient = nextGradient;
    value = nextValue;
  }
  return x;
}

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  /** step · change */
  readonly curvature: number;
}

/** −H g by the two-loop recursion (algorithm 7.4). */
function descentDirection(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const direction = gradient.map((value) => -value);
  const weights = new Float64Array(pairs.length);
  for (let i = pairs.length - 1; i >= 0; i--) {
    const pair = pairs[i];
    if (pair === undefined) continue;
    weights[i] = dot(pair.step, direction) / pair.curvature;
    add(direction, pair.change, -at(weights, i));
  }
  const last = pairs.at(-1);
  if (last !== undefined) scale(direction, last.curvature / dot(last.change, last.change));
  for (const [i, pair] of pairs.entries()) {
    const weight = dot(pair.change, direction) / pair.curvature;
    add(direction, pair.step, at(weights, i) - weight);
  }
  return direction;
}

function at(values: Float64Array, index: number): number {
  return values[index] ?? 0;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += at(a, i) * at(b, i);
  return sum;
}

function add(target: Float64Array, other: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] = at(target, i) + factor * at(other, i);
}

function scale(target: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] = at(target, i) * factor;
}

function difference(a: Float64Array, b: Float64Array): Float64Array<ArrayBuffer> {
  return Float64Array.from(a, (value, i) => value - at(b, i));
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
