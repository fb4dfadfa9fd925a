// tanh over [rows, columns], elementwise. Four elements an invocation.

struct TanhParams {
  rows: u32,    // row code
  columns: u32,
}

@group(0) @binding(1) var<uniform> params: TanhParams;

@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

// y = tanh x
@compute @workgroup_size(64)
fn tanh_forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let count = row_count(params.rows) * params.columns;
  let begin = (flat_workgroup(group, groups) * 64u + local) * 4u;
  for (var i = begin; i < min(begin + 4u, count); i++) {
    output[i] = safe_tanh(x[i]);
  }
}

@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read> output_gradient: array<f32>;
@group(0) @binding(4) var<storage, read_write> x_gradient: array<f32>;

// dx = dy (1 − y²)
@compute @workgroup_size(64)
fn tanh_backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let count = row_count(params.rows) * params.columns;
  let begin = (flat_workgroup(group, groups) * 64u + local) * 4u;
  for (var i = begin; i < min(begin + 4u, count); i++) {
    x_gradient[i] = output_gradient[i] * (1.0 - y[i] * y[i]);
  }
}
