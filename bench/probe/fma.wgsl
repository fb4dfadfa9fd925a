// Multiply-adds in registers alone: eight independent chains of four lanes an invocation.

struct Params {
  rounds: u32,
  factor: f32,
  addend: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> means: array<f32>;

@compute @workgroup_size(64)
fn fma_chains(@builtin(global_invocation_id) id: vec3u) {
  let factor = vec4f(params.factor);
  let addend = vec4f(params.addend);
  // Not the same in every invocation, or a compiler might compute one for all.
  let start = f32(id.x % 7u);
  var sum0 = vec4f(start);
  var sum1 = vec4f(start + 1.0);
  var sum2 = vec4f(start + 2.0);
  var sum3 = vec4f(start + 3.0);
  var sum4 = vec4f(start + 4.0);
  var sum5 = vec4f(start + 5.0);
  var sum6 = vec4f(start + 6.0);
  var sum7 = vec4f(start + 7.0);
  for (var round = 0u; round < params.rounds; round++) {
    sum0 = fma(sum0, factor, addend);
    sum1 = fma(sum1, factor, addend);
    sum2 = fma(sum2, factor, addend);
    sum3 = fma(sum3, factor, addend);
    sum4 = fma(sum4, factor, addend);
    sum5 = fma(sum5, factor, addend);
    sum6 = fma(sum6, factor, addend);
    sum7 = fma(sum7, factor, addend);
  }
  let all = (sum0 + sum1) + (sum2 + sum3) + (sum4 + sum5) + (sum6 + sum7);
  means[id.x] = dot(all, vec4f(1.0)) / 32.0;
}
