/**
 * The sum of the squares of `length` floats at `values`, in f64: the square of a global gradient norm.
 *
 * In f64 the square of any finite f32 is finite (3.4e38² = 1.2e77) and millions of them add up with an error far below
 * one f32 rounding, so the result is NaN or infinite if and only if one of the values is: that is how the caller sees a
 * diverged gradient. Four accumulators hide the latency of the addition; the order of the additions is fixed, so the
 * same values give the same bits.
 */
export function squared_norm(values: usize, length: i32): f64 {
  let sum0 = f64x2.splat(0);
  let sum1 = f64x2.splat(0);
  let sum2 = f64x2.splat(0);
  let sum3 = f64x2.splat(0);
  const end = values + ((<usize>length) << 2);
  const blocksEnd = values + ((<usize>(length & ~7)) << 2);
  let at = values;
  for (; at < blocksEnd; at += 32) {
    const a = f64x2.promote_low_f32x4(v128.load64_zero(at));
    const b = f64x2.promote_low_f32x4(v128.load64_zero(at, 8));
    const c = f64x2.promote_low_f32x4(v128.load64_zero(at, 16));
    const d = f64x2.promote_low_f32x4(v128.load64_zero(at, 24));
    sum0 = f64x2.add(sum0, f64x2.mul(a, a));
    sum1 = f64x2.add(sum1, f64x2.mul(b, b));
    sum2 = f64x2.add(sum2, f64x2.mul(c, c));
    sum3 = f64x2.add(sum3, f64x2.mul(d, d));
  }
  const sums = f64x2.add(f64x2.add(sum0, sum1), f64x2.add(sum2, sum3));
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (; at < end; at += 4) {
    const value = <f64>load<f32>(at);
    sum += value * value;
  }
  return sum;
}
