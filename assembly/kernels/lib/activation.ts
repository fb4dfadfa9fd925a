// GELU and its derivative in both of BERT's forms (Hendrycks and Gimpel 2016), and what adapters have instead of it, four lanes
// at a time. Codes as in src/ops/activation.ts; twin of shaders/lib/activation.wgsl. Each function of four
// lanes is small, or called in one place alone, so that it is inlined: see exp.ts.

import { exp2OfNegative } from './exp';
import { scratch } from './scratch';

const ACTIVATION_GELU: u32 = 0; // exact: x Φ(x)
const ACTIVATION_GELU_TANH: u32 = 1;
const ACTIVATION_RELU: u32 = 2; // 3 is swish

// √(2/π), the slope of the tanh form at 0.
const SQRT_2_OVER_PI: f32 = 0.7978845608;
const CUBIC: f32 = 0.044715;
const LOG2E: f32 = <f32>Math.LOG2E;
/** e^(−2 √(2/π) x) as a power of 2. */
const EXPONENT: f32 = -2.0 * SQRT_2_OVER_PI * LOG2E;

function splat(x: f32): v128 {
  return f32x4.splat(x);
}

// a x + b. WebAssembly's SIMD has no fused form.
function multiplyAdd(a: v128, x: v128, b: f32): v128 {
  return f32x4.add(f32x4.mul(a, x), splat(b));
}

// e^(−x²/2)
function gaussOf(x: v128): v128 {
  return exp2OfNegative(f32x4.mul(f32x4.mul(x, splat(-0.5 * LOG2E)), x));
}

// What V8 cannot keep in registers it makes anew in three instructions each time round a loop: a load from memory is one.
const series = memory.data<f32>(
  [
    0.23164189, // 0.3275911 √½
    0.5 * 1.061405429,
    0.5 * -1.453152027,
    0.5 * 1.421413741,
    0.5 * -0.284496736,
    0.5 * 0.254829592,
  ],
  16,
);

/**
 * Φ(−|x|), the tail's integral of the normal distribution, to 1e-7; `magnitude` is |x|, `gauss` is e^(−x²/2). Abramowitz and
 * Stegun, Handbook of Mathematical Functions, 7.1.26: ½ erfc(|x| √½), so p is times √½ and the coefficients are halved.
 */
function normalTail(magnitude: v128, gauss: v128): v128 {
  const p = v128.load_splat<f32>(series);
  const t = f32x4.div(splat(1.0), multiplyAdd(magnitude, p, 1.0));
  let sum = f32x4.mul(t, v128.load_splat<f32>(series, 4));
  sum = f32x4.mul(f32x4.add(sum, v128.load_splat<f32>(series, 8)), t);
  sum = f32x4.mul(f32x4.add(sum, v128.load_splat<f32>(series, 12)), t);
  sum = f32x4.mul(f32x4.add(sum, v128.load_splat<f32>(series, 16)), t);
  sum = f32x4.mul(f32x4.add(sum, v128.load_splat<f32>(series, 20)), t);
  return f32x4.mul(sum, gauss);
}

// x Φ(x) = max(x, 0) − |x| Φ(−|x|): no difference of near numbers where x is far below 0.
function exact(x: v128): v128 {
  const positive = f32x4.pmax(x, splat(0.0));
  const magnitude = f32x4.sub(f32x4.add(positive, positive), x);
  return f32x4.sub(positive, f32x4.mul(magnitude, normalTail(magnitude, gaussOf(x))));
}

// Φ(x) + x φ(x)
function exactDerivative(x: v128): v128 {
  const gauss = gaussOf(x);
  const tail = normalTail(f32x4.pmax(x, f32x4.sub(splat(0.0), x)), gauss);
  const integral = v128.bitselect(tail, f32x4.sub(splat(1.0), tail), f32x4.lt(x, splat(0.0)));
  return f32x4.add(integral, f32x4.mul(f32x4.mul(x, splat(0.3989422804)), gauss));
}

// The tanh form's gate ½ (1 + tanh u) with u = √(2/π) (x + 0.044715 x³) is 1 / (1 + e^(−2u)). This is e = e^(−2|u|), which
// cannot overflow: of the gates of |x| and −|x|, one is 1 / (1 + e) and the other e / (1 + e).
function gateExponential(magnitude: v128, square: v128): v128 {
  const slope = multiplyAdd(square, splat(EXPONENT * CUBIC), EXPONENT);
  return exp2OfNegative(f32x4.mul(magnitude, slope));
}

// max(x, 0) − |x| gate(−|x|)
function tanhForm(x: v128): v128 {
  const positive = f32x4.pmax(x, splat(0.0));
  const magnitude = f32x4.sub(f32x4.add(positive, positive), x);
  const e = gateExponential(magnitude, f32x4.mul(x, x));
  return f32x4.sub(positive, f32x4.div(f32x4.mul(magnitude, e), f32x4.add(e, splat(1.0))));
}

// With g the gate: g + x · 2 g (1 − g) u'. 1 − g is the other gate: the difference would lose its digits where g is near 1,
// and x u' there is some 35.
function tanhFormDerivative(x: v128): v128 {
  const square = f32x4.mul(x, x);
  const e = gateExponential(f32x4.pmax(x, f32x4.sub(splat(0.0), x)), square);
  const larger = f32x4.div(splat(1.0), f32x4.add(e, splat(1.0)));
  const smaller = f32x4.mul(e, larger);
  const gate = v128.bitselect(smaller, larger, f32x4.lt(x, splat(0.0)));
  const slope = multiplyAdd(square, splat(6.0 * SQRT_2_OVER_PI * CUBIC), 2.0 * SQRT_2_OVER_PI);
  return f32x4.add(gate, f32x4.mul(f32x4.mul(x, slope), f32x4.mul(smaller, larger)));
}

function relu(x: v128): v128 {
  return f32x4.pmax(x, splat(0.0));
}

function reluDerivative(x: v128): v128 {
  return v128.and(f32x4.gt(x, splat(0.0)), splat(1.0));
}

// x / (1 + e^(−x)): the tanh form with another gate.
function swish(x: v128): v128 {
  const positive = f32x4.pmax(x, splat(0.0));
  const magnitude = f32x4.sub(f32x4.add(positive, positive), x);
  const e = exp2OfNegative(f32x4.mul(magnitude, splat(-LOG2E)));
  return f32x4.sub(positive, f32x4.div(f32x4.mul(magnitude, e), f32x4.add(e, splat(1.0))));
}

// With g the gate: g + x g (1 − g).
function swishDerivative(x: v128): v128 {
  const e = exp2OfNegative(f32x4.mul(f32x4.pmax(x, f32x4.sub(splat(0.0), x)), splat(-LOG2E)));
  const larger = f32x4.div(splat(1.0), f32x4.add(e, splat(1.0)));
  const smaller = f32x4.mul(e, larger);
  const gate = v128.bitselect(smaller, larger, f32x4.lt(x, splat(0.0)));
  return f32x4.add(gate, f32x4.mul(x, f32x4.mul(smaller, larger)));
}

/** target = f(source), the bytes from…to of both. An element's bits do not depend on where the range begins. */
export function activate(kind: u32, source: usize, target: usize, from: usize, to: usize): void {
  let at = from;
  if (kind === ACTIVATION_GELU) {
    for (; at + 16 <= to; at += 16) v128.store(target + at, exact(v128.load(source + at)));
  } else if (kind === ACTIVATION_GELU_TANH) {
    for (; at + 16 <= to; at += 16) v128.store(target + at, tanhForm(v128.load(source + at)));
  } else if (kind === ACTIVATION_RELU) {
    for (; at + 16 <= to; at += 16) v128.store(target + at, relu(v128.load(source + at)));
  } else {
    for (; at + 16 <= to; at += 16) v128.store(target + at, swish(v128.load(source + at)));
  }
  if (at === to) return;
  // What is left goes through the same loop as four lanes of working memory.
  const quad = scratch();
  memory.copy(quad, source + at, to - at);
  activate(kind, quad, quad, 0, 16);
  memory.copy(target + at, quad, to - at);
}

/** target = gradient ⊙ f'(source), the bytes from…to of all three; target may be gradient. */
export function multiplyDerivative(
  kind: u32,
  source: usize,
  gradient: usize,
  target: usize,
  from: usize,
  to: usize,
): void {
  let at = from;
  if (kind === ACTIVATION_GELU) {
    for (; at + 16 <= to; at += 16) {
      v128.store(target + at, f32x4.mul(v128.load(gradient + at), exactDerivative(v128.load(source + at))));
    }
  } else if (kind === ACTIVATION_GELU_TANH) {
    for (; at + 16 <= to; at += 16) {
      v128.store(
        target + at,
        f32x4.mul(v128.load(gradient + at), tanhFormDerivative(v128.load(source + at))),
      );
    }
  } else if (kind === ACTIVATION_RELU) {
    for (; at + 16 <= to; at += 16) {
      v128.store(target + at, f32x4.mul(v128.load(gradient + at), reluDerivative(v128.load(source + at))));
    }
  } else {
    for (; at + 16 <= to; at += 16) {
      v128.store(target + at, f32x4.mul(v128.load(gradient + at), swishDerivative(v128.load(source + at))));
    }
  }
  if (at === to) return;
  const quads = scratch();
  memory.copy(quads, source + at, to - at);
  memory.copy(quads + 16, gradient + at, to - at);
  multiplyDerivative(kind, quads, quads + 16, quads + 16, 0, 16);
  memory.copy(target + at, quads + 16, to - at);
}
