// GELU and its derivative in both of BERT's forms (Hendrycks and Gimpel 2016), four lanes at a time. Codes as in
// src/ops/activation.ts; twin of shaders/lib/activation.wgsl.

const ACTIVATION_GELU: u32 = 0; // exact: x Φ(x); 1 is the tanh form

// √(2/π), the slope of the tanh form at 0.
const SQRT_2_OVER_PI: f32 = 0.7978845608;
const CUBIC: f32 = 0.044715;

function splat(x: f32): v128 {
  return f32x4.splat(x);
}

// a x + b. WebAssembly's SIMD has no fused form.
function multiplyAdd(a: v128, x: v128, b: f32): v128 {
  return f32x4.add(f32x4.mul(a, x), splat(b));
}

/**
 * e^x for x ≤ 0, to 2e-7 relative; below −87, where f32 runs out of normal numbers, e^−87 (1.6e-38).
 * x = n ln 2 + r with |r| ≤ ln 2 / 2, ln 2 in two parts so that n ln 2 is exact; e^r by its Taylor series to r⁷.
 */
export function expOfNegative(x: v128): v128 {
  const clamped = f32x4.max(x, splat(-87.0));
  const n = f32x4.nearest(f32x4.mul(clamped, splat(<f32>Math.LOG2E)));
  const rest = f32x4.sub(clamped, f32x4.mul(n, splat(0.693359375)));
  const r = f32x4.add(rest, f32x4.mul(n, splat(2.1219444e-4)));
  let series = multiplyAdd(splat(1.0 / 5040.0), r, 1.0 / 720.0);
  series = multiplyAdd(series, r, 1.0 / 120.0);
  series = multiplyAdd(series, r, 1.0 / 24.0);
  series = multiplyAdd(series, r, 1.0 / 6.0);
  series = multiplyAdd(series, r, 0.5);
  series = multiplyAdd(series, r, 1.0);
  series = multiplyAdd(series, r, 1.0);
  const exponent = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(series, exponent);
}

/**
 * Φ(x), the normal distribution's integral, to 1e-7; `gauss` is e^(−x²/2). Abramowitz and Stegun, Handbook of
 * Mathematical Functions, 7.1.26, for the tail's integral: no difference of near numbers where x is far below 0.
 */
function normalIntegral(x: v128, gauss: v128): v128 {
  const z = f32x4.mul(f32x4.abs(x), splat(<f32>Math.SQRT1_2));
  const t = f32x4.div(splat(1.0), multiplyAdd(splat(0.3275911), z, 1.0));
  let series = multiplyAdd(splat(1.061405429), t, -1.453152027);
  series = multiplyAdd(series, t, 1.421413741);
  series = multiplyAdd(series, t, -0.284496736);
  series = multiplyAdd(series, t, 0.254829592);
  const tail = f32x4.mul(f32x4.mul(splat(0.5), gauss), f32x4.mul(series, t));
  return v128.bitselect(tail, f32x4.sub(splat(1.0), tail), f32x4.lt(x, splat(0.0)));
}

function gaussOf(x: v128): v128 {
  return expOfNegative(f32x4.mul(splat(-0.5), f32x4.mul(x, x)));
}

// ½ (1 + tanh(√(2/π) (x + 0.044715 x³))), as 1 / (1 + e^(−2…)): through e^−|…|, which cannot overflow.
function tanhGate(x: v128): v128 {
  const cubic = multiplyAdd(f32x4.mul(splat(CUBIC), x), x, 1.0);
  const doubled = f32x4.mul(f32x4.mul(splat(2.0 * SQRT_2_OVER_PI), x), cubic);
  const e = expOfNegative(f32x4.neg(f32x4.abs(doubled)));
  const numerator = v128.bitselect(e, splat(1.0), f32x4.lt(x, splat(0.0)));
  return f32x4.div(numerator, f32x4.add(splat(1.0), e));
}

/** f(x) of four lanes. */
export function activateLanes(kind: u32, x: v128): v128 {
  const gate = kind === ACTIVATION_GELU ? normalIntegral(x, gaussOf(x)) : tanhGate(x);
  return f32x4.mul(x, gate);
}

/** f'(x) of four lanes. Exact form: Φ(x) + x φ(x). */
export function activateDerivativeLanes(kind: u32, x: v128): v128 {
  if (kind === ACTIVATION_GELU) {
    const gauss = gaussOf(x);
    return f32x4.add(normalIntegral(x, gauss), f32x4.mul(x, f32x4.mul(splat(0.3989422804), gauss)));
  }
  // With g the gate and u its tanh's argument: g + x · 2 g (1 − g) u'.
  const gate = tanhGate(x);
  const slope = multiplyAdd(f32x4.mul(splat(3.0 * CUBIC), x), x, 1.0);
  // 1 − g(x) is g(−x): the difference would lose its digits where g is near 1, and x u' there is some 35.
  const gateSlope = f32x4.mul(gate, tanhGate(f32x4.neg(x)));
  return f32x4.add(gate, f32x4.mul(f32x4.mul(splat(2.0 * SQRT_2_OVER_PI), x), f32x4.mul(gateSlope, slope)));
}

/** f(x) of one number, by the same arithmetic. */
export function activate(kind: u32, x: f32): f32 {
  return f32x4.extract_lane(activateLanes(kind, splat(x)), 0);
}

/** f'(x) of one number, by the same arithmetic. */
export function activateDerivative(kind: u32, x: f32): f32 {
  return f32x4.extract_lane(activateDerivativeLanes(kind, splat(x)), 0);
}
