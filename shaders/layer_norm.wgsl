// y = x̂ γ + β with x̂ = (r − mean r) / σ over each row of r = x + residual, all [rows, columns].
// Serial: an invocation a row. Tiled: a workgroup of 64 a row. Derivation: docs/derivations/layer_norm.md.
// HAS_RESIDUAL is compiled in: a branch in the innermost loop would cost as much as the arithmetic.

struct LayerNormParams {
  rows: u32,    // row code
  columns: u32,
  epsilon: f32,
}

@group(0) @binding(1) var<uniform> params: LayerNormParams;
@group(0) @binding(2) var<storage, read> x: array<Element>;
@group(0) @binding(3) var<storage, read> residual: array<Element>; // x again where there is none
@group(0) @binding(4) var<storage, read> gamma: array<Element>;
@group(0) @binding(5) var<storage, read> beta: array<Element>;
@group(0) @binding(6) var<storage, read_write> output: array<Element>;
@group(0) @binding(7) var<storage, read_write> normalized: array<Element>;        // x̂, saved for the backward pass
@group(0) @binding(8) var<storage, read_write> inverse_deviation: array<f32>; // [rows], 1 / σ, likewise

fn row_value(i: u32) -> Element {
  if HAS_RESIDUAL == 1u {
    return x[i] + residual[i];
  }
  return x[i];
}

fn row_elements() -> u32 {
  return params.columns / ELEMENT_WIDTH;
}

struct Moments {
  mean: f32,
  inverse_deviation: f32,
}

// Two passes: the sum of squares minus the squared mean would cancel in f32.
fn moments_serial(begin: u32) -> Moments {
  let end = begin + row_elements();
  var sum = Element();
  for (var i = begin; i < end; i++) {
    sum += row_value(i);
  }
  let mean = element_sum(sum) / f32(params.columns);
  var squares = Element();
  for (var i = begin; i < end; i++) {
    let centred = row_value(i) - mean;
    squares += centred * centred;
  }
  return Moments(mean, inverseSqrt(element_sum(squares) / f32(params.columns) + params.epsilon));
}

@compute @workgroup_size(32)
fn layer_norm_forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = flat_workgroup(group, groups) * 32u + local;
  if row >= row_count(params.rows) {
    return;
  }
  let begin = row * row_elements();
  let m = moments_serial(begin);
  for (var c = 0u; c < row_elements(); c++) {
    output[begin + c] = (row_value(begin + c) - m.mean) * m.inverse_deviation * gamma[c] + beta[c];
  }
}

@compute @workgroup_size(32)
fn layer_norm_forward_saving(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = flat_workgroup(group, groups) * 32u + local;
  if row >= row_count(params.rows) {
    return;
  }
  let begin = row * row_elements();
  let m = moments_serial(begin);
  for (var c = 0u; c < row_elements(); c++) {
    let value = (row_value(begin + c) - m.mean) * m.inverse_deviation;
    normalized[begin + c] = value;
    output[begin + c] = value * gamma[c] + beta[c];
  }
  inverse_deviation[row] = m.inverse_deviation;
}

fn moments_tiled(begin: u32, local: u32) -> Moments {
  var sum = Element();
  for (var c = local; c < row_elements(); c += 64u) {
    let value = row_value(begin + c);
    output[begin + c] = value;
    sum += value;
  }
  let mean = reduce_sum(local, vec2f(element_sum(sum), 0.0)).x / f32(params.columns);
  var squares = Element();
  for (var c = local; c < row_elements(); c += 64u) {
    let centred = output[begin + c] - mean;
    squares += centred * centred;
  }
  let variance = reduce_sum(local, vec2f(element_sum(squares), 0.0)).x / f32(params.columns);
  return Moments(mean, inverseSqrt(variance + params.epsilon));
}

@compute @workgroup_size(64)
fn layer_norm_forward_tiled(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = flat_workgroup(group, groups);
  if row >= row_count(params.rows) {
    return;
  }
  let begin = row * row_elements();
  let m = moments_tiled(begin, local);
  for (var c = local; c < row_elements(); c += 64u) {
    output[begin + c] = (row_value(begin + c) - m.mean) * m.inverse_deviation * gamma[c] + beta[c];
  }
}

@compute @workgroup_size(64)
fn layer_norm_forward_saving_tiled(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = flat_workgroup(group, groups);
  if row >= row_count(params.rows) {
    return;
  }
  let begin = row * row_elements();
  let m = moments_tiled(begin, local);
  for (var c = local; c < row_elements(); c += 64u) {
    let value = (row_value(begin + c) - m.mean) * m.inverse_deviation;
    normalized[begin + c] = value;
    output[begin + c] = value * gamma[c] + beta[c];
  }
  if local == 0u {
    inverse_deviation[row] = m.inverse_deviation;
  }
}
