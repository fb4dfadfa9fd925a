// y = x ⊙ l over the columns first … first + count − 1 of [rows, columns], y = x in the others; l [count]. Four elements an
// invocation.

struct ScaleColumnsParams {
  rows: u32,    // row code
  columns: u32,
  first: u32,
  count: u32,
}

@group(0) @binding(1) var<uniform> params: ScaleColumnsParams;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> scale: array<f32>;

fn scale_of(column: u32) -> f32 {
  // Before the first the difference wraps around and is too large as well.
  let i = column - params.first;
  if i < params.count {
    return scale[i];
  }
  return 1.0;
}

@group(0) @binding(4) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn scale_columns_forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let elements = row_count(params.rows) * params.columns;
  let begin = (flat_workgroup(group, groups) * 64u + local) * 4u;
  for (var i = begin; i < min(begin + 4u, elements); i++) {
    output[i] = x[i] * scale_of(i % params.columns);
  }
}

@group(0) @binding(4) var<storage, read> output_gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> x_gradient: array<f32>;
@group(0) @binding(6) var<storage, read_write> products: array<f32>; // [rows, count]

// dx = dy ⊙ l, and dy ⊙ x in the scaled columns, whose sums over rows are dl.
@compute @workgroup_size(64)
fn scale_columns_backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let elements = row_count(params.rows) * params.columns;
  let begin = (flat_workgroup(group, groups) * 64u + local) * 4u;
  for (var i = begin; i < min(begin + 4u, elements); i++) {
    let column = i % params.columns;
    x_gradient[i] = output_gradient[i] * scale_of(column);
    let scaled = column - params.first;
    if scaled < params.count {
      products[i / params.columns * params.count + scaled] = output_gradient[i] * x[i];
    }
  }
}
