// One row a sequence, [B, columns], from its tokens, [T, columns]: the first token's (mode 0) or the mean (mode 1).
// Forward: an invocation a result. Backward: an invocation a token and column, so that every row of dx is written.

struct PoolingParams {
  columns: u32,
  mode: u32,
}

const MODE_FIRST = 0u;

@group(0) @binding(1) var<uniform> params: PoolingParams;

@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> offsets: array<u32>; // [B + 1]
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn pooling_forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = flat_workgroup(group, groups) * 64u + local;
  if index >= batch.sequences * params.columns {
    return;
  }
  let sequence = index / params.columns;
  let column = index % params.columns;
  let first = offsets[sequence];
  if params.mode == MODE_FIRST {
    output[index] = x[first * params.columns + column];
    return;
  }
  let end = offsets[sequence + 1u];
  var sum = 0.0;
  for (var token = first; token < end; token++) {
    sum += x[token * params.columns + column];
  }
  output[index] = sum / f32(end - first);
}

@group(0) @binding(2) var<storage, read> output_gradient: array<f32>;
@group(0) @binding(4) var<storage, read> tokens: array<vec4u>; // id, position, type id, sequence
@group(0) @binding(5) var<storage, read_write> x_gradient: array<f32>;

@compute @workgroup_size(64)
fn pooling_backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = flat_workgroup(group, groups) * 64u + local;
  if index >= batch.tokens * params.columns {
    return;
  }
  let token = tokens[index / params.columns];
  let gradient = output_gradient[token.w * params.columns + index % params.columns];
  if params.mode == MODE_FIRST {
    x_gradient[index] = select(0.0, gradient, token.y == 0u);
  } else {
    x_gradient[index] = gradient / f32(offsets[token.w + 1u] - offsets[token.w]);
  }
}
