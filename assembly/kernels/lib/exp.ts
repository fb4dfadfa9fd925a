// Powers of four lanes. Small enough that the compiler inlines them (asc: up to 70 nodes): a call would make all constants anew
// for every four lanes. f32x4.pmax and pmin are one instruction where max and min, with their rules for NaN and −0, are eight.

// Added to a number of less than 2^22 and taken off again, it leaves the nearest whole number; the sum's low bits are that number.
const ROUNDER: f32 = 12582912.0;

/**
 * 2^x for x ≤ 0, to 2e-7 relative, 2^0 exactly 1; below −125.5, where f32 runs out of normal numbers, 2^−125.5 (1.7e-38).
 * x = n + r with n whole and |r| ≤ ½; 2^r by the polynomial of degree 5 whose largest relative error on [−½, ½] is least
 * (9e-8) among those that are 1 at 0.
 */
export function exp2OfNegative(x: v128): v128 {
  const clamped = f32x4.pmax(x, f32x4.splat(-125.5));
  const shifted = f32x4.add(clamped, f32x4.splat(ROUNDER));
  const r = f32x4.sub(clamped, f32x4.sub(shifted, f32x4.splat(ROUNDER)));
  // Not Horner's chain: the sums of pairs wait for nothing.
  const square = f32x4.mul(r, r);
  const low = f32x4.add(f32x4.mul(r, f32x4.splat(0.6931469775991637)), f32x4.splat(1.0));
  const middle = f32x4.add(f32x4.mul(r, f32x4.splat(0.05550733743251893)), f32x4.splat(0.24022242085375062));
  const high = f32x4.add(f32x4.mul(r, f32x4.splat(0.0013264727197221592)), f32x4.splat(0.009671512639648955));
  const series = f32x4.add(low, f32x4.mul(square, f32x4.add(middle, f32x4.mul(square, high))));
  // n goes into the exponent; the rest of ROUNDER's bits leave the word.
  return i32x4.add(series, i32x4.shl(shifted, 23));
}

/**
 * log₂ x of normal x > 0, to 1e-7. x = 2^n m with m in [√½, √2); log₂ m by its series in s = (m − 1) / (m + 1), |s| ≤ 0.172:
 * 2 / ln 2 (s + s³/3 + s⁵/5 + s⁷/7 + …).
 */
export function log2(x: v128): v128 {
  // √½ as an integer: what lies above it in the bits of x is n and a rest in [0, 2^23).
  const least = i32x4.splat(0x3f3504f3);
  const above = i32x4.sub(x, least);
  const n = f32x4.convert_i32x4_s(i32x4.shr_s(above, 23));
  const m = i32x4.add(v128.and(above, i32x4.splat(0x7fffff)), least);
  const s = f32x4.div(f32x4.sub(m, f32x4.splat(1)), f32x4.add(m, f32x4.splat(1)));
  const square = f32x4.mul(s, s);
  let series = f32x4.mul(square, f32x4.splat(<f32>(2 / (7 * Math.LN2))));
  series = f32x4.mul(f32x4.add(series, f32x4.splat(<f32>(2 / (5 * Math.LN2)))), square);
  series = f32x4.mul(f32x4.add(series, f32x4.splat(<f32>(2 / (3 * Math.LN2)))), square);
  series = f32x4.mul(f32x4.add(series, f32x4.splat(<f32>(2 / Math.LN2))), s);
  return f32x4.add(n, series);
}
