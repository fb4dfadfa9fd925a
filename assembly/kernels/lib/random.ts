// Counter-based random numbers, bit for bit those of shaders/lib/random.wgsl.
// pcg4d: Jarzynski and Olano 2020, "Hash Functions for GPU Rendering", Journal of Computer Graphics Techniques 9(3).

// The last draw's four words.
let x: u32 = 0;
let y: u32 = 0;
let z: u32 = 0;
let w: u32 = 0;

function pcg4d(a: u32, b: u32, c: u32, d: u32): void {
  x = a * 1664525 + 1013904223;
  y = b * 1664525 + 1013904223;
  z = c * 1664525 + 1013904223;
  w = d * 1664525 + 1013904223;
  mix();
  x ^= x >> 16;
  y ^= y >> 16;
  z ^= z >> 16;
  w ^= w >> 16;
  mix();
}

function mix(): void {
  x += y * w;
  y += z * x;
  z += x * y;
  w += y * z;
}

/** What the draws of one op in one step have in common, as one word of 64 bits. */
export function randomKey(batch: usize, opKey: u32): u64 {
  pcg4d(load<u32>(batch, 20), load<u32>(batch, 24), opKey, 0);
  return ((<u64>y) << 32) | <u64>x;
}

/**
 * Dropout's factors of four neighbours: 0 where the draw is below `threshold`, else `keepScale`. `row` counts in the
 * logical batch, `quad` is the place in the row, over 4.
 */
export function dropoutFactors(key: u64, row: u32, quad: u32, threshold: u32, keepScale: f32): v128 {
  pcg4d(<u32>key, <u32>(key >> 32), row, quad);
  let draws = i32x4.splat(x);
  draws = i32x4.replace_lane(draws, 1, y);
  draws = i32x4.replace_lane(draws, 2, z);
  draws = i32x4.replace_lane(draws, 3, w);
  return v128.and(f32x4.splat(keepScale), i32x4.ge_u(draws, i32x4.splat(threshold)));
}
