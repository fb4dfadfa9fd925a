// Sums and products over rows of floats, four lanes at a time.

/** Four floats, or the one to three that the `bytes` left hold, then zeros. */
export function loadUpTo4(at: usize, bytes: usize): v128 {
  if (bytes >= 16) return v128.load(at);
  let lanes = v128.load32_zero(at);
  if (bytes > 4) lanes = v128.load_lane<f32>(at + 4, lanes, 1);
  if (bytes > 8) lanes = v128.load_lane<f32>(at + 8, lanes, 2);
  return lanes;
}

/** Stores four floats, or the one to three for which `bytes` are left. */
export function storeUpTo4(at: usize, lanes: v128, bytes: usize): void {
  if (bytes >= 16) {
    v128.store(at, lanes);
    return;
  }
  v128.store_lane<f32>(at, lanes, 0);
  if (bytes > 4) v128.store_lane<f32>(at + 4, lanes, 1);
  if (bytes > 8) v128.store_lane<f32>(at + 8, lanes, 2);
}

export function sumOfLanes(v: v128): f32 {
  const low = f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1);
  return low + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

export function largestLane(v: v128): f32 {
  const low = max(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1));
  return max(low, max(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)));
}

/** a · b over `bytes`, a multiple of 16. */
export function dot(a: usize, b: usize, bytes: usize): f32 {
  let sum = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(a + at), v128.load(b + at)));
  }
  return sumOfLanes(sum);
}

/** target += factor · source over `bytes`, a multiple of 16. */
export function addScaled(target: usize, factor: f32, source: usize, bytes: usize): void {
  const lanes = f32x4.splat(factor);
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(target + at, f32x4.add(v128.load(target + at), f32x4.mul(lanes, v128.load(source + at))));
  }
}
