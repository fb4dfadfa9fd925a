// The backward pass of layer_norm.wgsl. Derivation: docs/derivations/layer_norm.md.

struct LayerNormBackwardParams {
  rows: u32,    // row code
  columns: u32,
  part: u32,    // which partial sums to add up: 0 for γ, 1 for β
}

@group(0) @binding(1) var<uniform> params: LayerNormBackwardParams;
@group(0) @binding(2) var<storage, read> output_gradient: array<Element>;
@group(0) @binding(3) var<storage, read> normalized: array<Element>;

@group(0) @binding(4) var<storage, read> inverse_deviation: array<f32>;
@group(0) @binding(5) var<storage, read> gamma: array<Element>;
@group(0) @binding(6) var<storage, read_write> input_gradient: array<Element>;

fn row_elements() -> u32 {
  return params.columns / ELEMENT_WIDTH;
}

// dr = (dx̂ − mean dx̂ − x̂ mean(dx̂ x̂)) / σ, with dx̂ = dy γ.
@compute @workgroup_size(32)
fn layer_norm_backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = flat_workgroup(group, groups) * 32u + local;
  if row >= row_count(params.rows) {
    return;
  }
  let begin = row * row_elements();
  var sums = vec2f(); // of dx̂ and of dx̂ x̂
  for (var c = 0u; c < row_elements(); c++) {
    let d = output_gradient[begin + c] * gamma[c];
    sums += vec2f(element_sum(d), element_sum(d * normalized[begin + c]));
  }
  let means = sums / f32(params.columns);
  let scale = inverse_deviation[row];
  for (var c = 0u; c < row_elements(); c++) {
    let i = begin + c;
    input_gradient[i] = scale * (output_gradient[i] * gamma[c] - means.x - normalized[i] * means.y);
  }
}

@compute @workgroup_size(64)
fn layer_norm_backward_tiled(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = flat_workgroup(group, groups);
  if row >= row_count(params.rows) {
    return;
  }
  let begin = row * row_elements();
  var sums = vec2f();
  for (var c = local; c < row_elements(); c += 64u) {
    let d = output_gradient[begin + c] * gamma[c];
    sums += vec2f(element_sum(d), element_sum(d * normalized[begin + c]));
  }
  let means = reduce_sum(local, sums) / f32(params.columns);
  let scale = inverse_deviation[row];
  for (var c = local; c < row_elements(); c += 64u) {
    let i = begin + c;
    input_gradient[i] = scale * (output_gradient[i] * gamma[c] - means.x - normalized[i] * means.y);
  }
}

@group(0) @binding(4) var<storage, read_write> partial_sums: array<Element>; // [CHUNKS, 2 columns]: dγ, then dβ

// Sums over rows in two steps of fixed order, hence the same bits every time: here an invocation a column and chunk of rows.
// Neighbours read neighbouring columns, and there are CHUNKS × columns invocations: it suits every device.
@compute @workgroup_size(64)
fn layer_norm_partial_sums(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let c = group.x * 64u + local;
  if c >= row_elements() {
    return;
  }
  let rows = row_count(params.rows);
  let chunk_rows = (rows + CHUNKS - 1u) / CHUNKS;
  let first = group.y * chunk_rows;
  let end = min(first + chunk_rows, rows);
  var gamma_sum = Element();
  var beta_sum = Element();
  for (var row = first; row < end; row++) {
    let d = output_gradient[row * row_elements() + c];
    gamma_sum += d * normalized[row * row_elements() + c];
    beta_sum += d;
  }
  let begin = group.y * 2u * row_elements();
  partial_sums[begin + c] = gamma_sum;
  partial_sums[begin + row_elements() + c] = beta_sum;
}

@group(0) @binding(2) var<storage, read> partials: array<Element>; // what layer_norm_partial_sums wrote
@group(0) @binding(3) var<storage, read_write> parameter_gradient: array<Element>;

// dγ or dβ += the sum of its partial sums
@compute @workgroup_size(64)
fn layer_norm_parameter_gradient(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let c = group.x * 64u + local;
  if c >= row_elements() {
    return;
  }
  var sum = Element();
  for (var chunk = 0u; chunk < CHUNKS; chunk++) {
    sum += partials[(chunk * 2u + params.part) * row_elements() + c];
  }
  parameter_gradient[c] += sum;
}
