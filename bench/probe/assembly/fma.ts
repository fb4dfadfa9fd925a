// Multiply-adds in registers alone. x86 has 16 vector registers, of which V8 keeps one for itself: 12 accumulators and
// two constants stay in them. 12 independent chains cover the latency of a multiplication and an addition (6 to 8
// cycles) at two a cycle.

import { sumOfLanes } from '../../../assembly/kernels/lib/lanes';

/** Accumulators; each is four f32 lanes. */
export const CHAINS: i32 = 12;

function step(sum: v128, factor: v128, addend: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(sum, factor, addend);
  return f32x4.add(f32x4.mul(sum, factor), addend);
}

/** `rounds` times sum = sum · factor + addend in every chain. Returns the mean of all lanes. */
export function fma_chains(rounds: i32, factor: f32, addend: f32): f32 {
  const f = f32x4.splat(factor);
  const a = f32x4.splat(addend);
  let sum0 = f32x4.splat(0);
  let sum1 = f32x4.splat(1);
  let sum2 = f32x4.splat(2);
  let sum3 = f32x4.splat(3);
  let sum4 = f32x4.splat(4);
  let sum5 = f32x4.splat(5);
  let sum6 = f32x4.splat(6);
  let sum7 = f32x4.splat(7);
  let sum8 = f32x4.splat(8);
  let sum9 = f32x4.splat(9);
  let sum10 = f32x4.splat(10);
  let sum11 = f32x4.splat(11);
  for (let round = 0; round < rounds; round++) {
    sum0 = step(sum0, f, a);
    sum1 = step(sum1, f, a);
    sum2 = step(sum2, f, a);
    sum3 = step(sum3, f, a);
    sum4 = step(sum4, f, a);
    sum5 = step(sum5, f, a);
    sum6 = step(sum6, f, a);
    sum7 = step(sum7, f, a);
    sum8 = step(sum8, f, a);
    sum9 = step(sum9, f, a);
    sum10 = step(sum10, f, a);
    sum11 = step(sum11, f, a);
  }
  let all = f32x4.add(f32x4.add(sum0, sum1), f32x4.add(sum2, sum3));
  all = f32x4.add(all, f32x4.add(f32x4.add(sum4, sum5), f32x4.add(sum6, sum7)));
  all = f32x4.add(all, f32x4.add(f32x4.add(sum8, sum9), f32x4.add(sum10, sum11)));
  return sumOfLanes(all) / f32(CHAINS * 4);
}
