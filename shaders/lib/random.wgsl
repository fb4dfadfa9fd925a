// Counter-based random numbers: nothing is stored, every pass that needs a draw makes it again from its key.
// src/reference/dropout.ts is the exact twin.

// pcg4d: Jarzynski and Olano 2020, "Hash Functions for GPU Rendering", Journal of Computer Graphics Techniques 9(3).
fn pcg4d(input: vec4u) -> vec4u {
  var v = input * 1664525u + 1013904223u;
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  v ^= v >> vec4u(16u);
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  return v;
}

// What the draws of one op in one step have in common.
fn random_key(op_key: u32) -> vec2u {
  return pcg4d(vec4u(batch.seed, batch.step, op_key, 0u)).xy;
}

// Dropout's factors for four neighbours: 0 with probability threshold / 2³², else `keep_scale`.
// `row` counts in the logical batch, so that it may be split in any way; `quad` is the place in the row, over 4.
fn dropout_factors(key: vec2u, row: u32, quad: u32, threshold: u32, keep_scale: f32) -> vec4f {
  return select(vec4f(), vec4f(keep_scale), pcg4d(vec4u(key, row, quad)) >= vec4u(threshold));
}
