// Softmax cross-entropy of logits [rows, classes] against class numbers [rows], times the weight of the row's class: loss [rows, 1],
// and d loss / d logits in the same go. A row whose number is no class is ignored: its loss and gradient are 0.
// Serial: an invocation a row. Tiled: a workgroup of 64 a row, since a thousand classes in a row are slow for one.
// Derivation: docs/derivations/cross_entropy.md.

struct CrossEntropyParams {
  classes: u32,
  rows: u32, // a code: see row_count
  is_weighted: u32,
}

@group(0) @binding(1) var<uniform> params: CrossEntropyParams;
@group(0) @binding(2) var<storage, read> logits: array<f32>;
@group(0) @binding(3) var<storage, read> labels: array<u32>;
@group(0) @binding(4) var<storage, read> weights: array<f32>; // [classes]; not read unless is_weighted
@group(0) @binding(5) var<storage, read_write> loss: array<f32>;
@group(0) @binding(6) var<storage, read_write> logits_gradient: array<f32>;

// log Σ exp z, with the largest z subtracted, so that no exp overflows.
fn log_sum_serial(begin: u32) -> f32 {
  var largest = logits[begin];
  for (var c = 1u; c < params.classes; c++) {
    largest = max(largest, logits[begin + c]);
  }
  var sum = 0.0;
  for (var c = 0u; c < params.classes; c++) {
    sum += exp(logits[begin + c] - largest);
  }
  return largest + log(sum);
}

fn log_sum_tiled(begin: u32, local: u32) -> f32 {
  var largest = logits[begin];
  for (var c = local; c < params.classes; c += 64u) {
    largest = max(largest, logits[begin + c]);
  }
  largest = reduce_max(local, largest);
  var sum = 0.0;
  for (var c = local; c < params.classes; c += 64u) {
    sum += exp(logits[begin + c] - largest);
  }
  return largest + log(reduce_sum(local, vec2f(sum, 0.0)).x);
}

fn weight_of(label: u32) -> f32 {
  if label >= params.classes {
    return 0.0;
  }
  if params.is_weighted == 0u {
    return 1.0;
  }
  return weights[label];
}

fn write_loss(row: u32, begin: u32, log_sum: f32) {
  let label = labels[row];
  // In bounds for a row that is ignored, too.
  let chosen = logits[begin + min(label, params.classes - 1u)];
  loss[row] = weight_of(label) * (log_sum - chosen);
}

// weight · (softmax z − one-hot) / the divisor of the logical batch
fn write_gradient(begin: u32, c: u32, label: u32, log_sum: f32) {
  let probability = exp(logits[begin + c] - log_sum);
  logits_gradient[begin + c] =
    (probability - select(0.0, 1.0, c == label)) * weight_of(label) * batch.loss_scale;
}

@compute @workgroup_size(32)
fn cross_entropy(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = flat_workgroup(group, groups) * 32u + local;
  if row >= row_count(params.rows) {
    return;
  }
  let begin = row * params.classes;
  write_loss(row, begin, log_sum_serial(begin));
}

@compute @workgroup_size(32)
fn cross_entropy_gradient(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = flat_workgroup(group, groups) * 32u + local;
  if row >= row_count(params.rows) {
    return;
  }
  let begin = row * params.classes;
  let log_sum = log_sum_serial(begin);
  write_loss(row, begin, log_sum);
  let label = labels[row];
  for (var c = 0u; c < params.classes; c++) {
    write_gradient(begin, c, label, log_sum);
  }
}

@compute @workgroup_size(64)
fn cross_entropy_tiled(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = flat_workgroup(group, groups);
  if row >= row_count(params.rows) {
    return;
  }
  let begin = row * params.classes;
  let log_sum = log_sum_tiled(begin, local);
  if local == 0u {
    write_loss(row, begin, log_sum);
  }
}

@compute @workgroup_size(64)
fn cross_entropy_gradient_tiled(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = flat_workgroup(group, groups);
  if row >= row_count(params.rows) {
    return;
  }
  let begin = row * params.classes;
  let log_sum = log_sum_tiled(begin, local);
  if local == 0u {
    write_loss(row, begin, log_sum);
  }
  let label = labels[row];
  for (var c = local; c < params.classes; c += 64u) {
    write_gradient(begin, c, label, log_sum);
  }
}
