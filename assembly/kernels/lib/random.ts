// Counter-based random numbers, bit for bit those of shaders/lib/random.wgsl.
// pcg4d: Jarzynski and Olano 2020, "Hash Functions for GPU Rendering", Journal of Computer Graphics Techniques 9(3).

const MULTIPLIER: u32 = 1664525;
const INCREMENT: u32 = 1013904223;

function scramble(word: u32): u32 {
  return word * MULTIPLIER + INCREMENT;
}

/** What the draws of one op in one step have in common, as one word of 64 bits: two words of pcg4d(seed, step, opKey, 0). */
export function randomKey(batch: usize, opKey: u32): u64 {
  let x = scramble(load<u32>(batch, 20));
  let y = scramble(load<u32>(batch, 24));
  let z = scramble(opKey);
  let w = scramble(0);
  x += y * w;
  y += z * x;
  z += x * y;
  w += y * z;
  x ^= x >> 16;
  y ^= y >> 16;
  z ^= z >> 16;
  w ^= w >> 16;
  x += y * w;
  y += z * x;
  return ((<u64>y) << 32) | <u64>x;
}

/**
 * Dropout's factors, 0 where the draw is below `threshold`, else `keepScale`, of four quads of neighbours at once, `count`
 * times. Lane i of `rows` and `quads` says where quad i lies: its row of the logical batch and its place in the row, over 4;
 * from one time to the next the places grow by `quadStep`. Each time writes four rows of four lanes, `stride` bytes apart and
 * one after the other: row r, lane i is the factor of neighbour r of quad i.
 */
export function drawFactors(
  key: u64,
  rows: v128,
  quads: v128,
  quadStep: u32,
  count: u32,
  threshold: u32,
  keepScale: f32,
  target: usize,
  stride: usize,
): void {
  const x0 = i32x4.splat(scramble(<u32>key));
  const y0 = i32x4.splat(scramble(<u32>(key >> 32)));
  const z0 = i32x4.add(i32x4.mul(rows, i32x4.splat(MULTIPLIER)), i32x4.splat(INCREMENT));
  let w0 = i32x4.add(i32x4.mul(quads, i32x4.splat(MULTIPLIER)), i32x4.splat(INCREMENT));
  const step = i32x4.splat(quadStep * MULTIPLIER);
  const limit = i32x4.splat(threshold);
  const keep = f32x4.splat(keepScale);
  for (let i: u32 = 0; i < count; i++) {
    let x = i32x4.add(x0, i32x4.mul(y0, w0));
    let y = i32x4.add(y0, i32x4.mul(z0, x));
    let z = i32x4.add(z0, i32x4.mul(x, y));
    let w = i32x4.add(w0, i32x4.mul(y, z));
    x = v128.xor(x, i32x4.shr_u(x, 16));
    y = v128.xor(y, i32x4.shr_u(y, 16));
    z = v128.xor(z, i32x4.shr_u(z, 16));
    w = v128.xor(w, i32x4.shr_u(w, 16));
    x = i32x4.add(x, i32x4.mul(y, w));
    y = i32x4.add(y, i32x4.mul(z, x));
    z = i32x4.add(z, i32x4.mul(x, y));
    w = i32x4.add(w, i32x4.mul(y, z));
    v128.store(target, v128.and(i32x4.ge_u(x, limit), keep));
    target += stride;
    v128.store(target, v128.and(i32x4.ge_u(y, limit), keep));
    target += stride;
    v128.store(target, v128.and(i32x4.ge_u(z, limit), keep));
    target += stride;
    v128.store(target, v128.and(i32x4.ge_u(w, limit), keep));
    target += stride;
    w0 = i32x4.add(w0, step);
  }
}
