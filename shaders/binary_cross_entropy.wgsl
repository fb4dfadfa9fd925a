// Cross-entropy of a sigmoid for each of logits [rows, columns] against labels [rows, columns] in [0, 1], the positive part times
// the column's weight: mean of each row, [rows, 1], and d loss / d logits in the same go.
// Serial: an invocation a row. Tiled: a workgroup of 64 a row. Derivation: docs/derivations/binary_cross_entropy.md.

struct BinaryCrossEntropyParams {
  columns: u32,
  rows: u32, // a code: see row_count
  is_weighted: u32,
}

@group(0) @binding(1) var<uniform> params: BinaryCrossEntropyParams;
@group(0) @binding(2) var<storage, read> logits: array<f32>;
@group(0) @binding(3) var<storage, read> labels: array<f32>;
@group(0) @binding(4) var<storage, read> weights: array<f32>; // [columns]; not read unless is_weighted
@group(0) @binding(5) var<storage, read_write> loss: array<f32>;
@group(0) @binding(6) var<storage, read_write> logits_gradient: array<f32>;

fn positive_weight(c: u32) -> f32 {
  if params.is_weighted == 0u {
    return 1.0;
  }
  return weights[c];
}

// w y log(1 + exp −z) + (1 − y) log(1 + exp z); no exp overflows, since log(1 + exp z) = max(z, 0) + log(1 + exp −|z|).
fn loss_at(begin: u32, c: u32) -> f32 {
  let z = logits[begin + c];
  let positive = labels[begin + c] * positive_weight(c);
  let negative = 1.0 - labels[begin + c];
  let rest = log(1.0 + exp(-abs(z)));
  return positive * (max(-z, 0.0) + rest) + negative * (max(z, 0.0) + rest);
}

// ((1 − y + w y) σ(z) − w y) / columns / the divisor of the logical batch
fn write_gradient(begin: u32, c: u32) {
  let z = logits[begin + c];
  let positive = labels[begin + c] * positive_weight(c);
  let negative = 1.0 - labels[begin + c];
  let power = exp(-abs(z));
  let probability = select(power, 1.0, z >= 0.0) / (1.0 + power);
  logits_gradient[begin + c] =
    ((negative + positive) * probability - positive) / f32(params.columns) * batch.loss_scale;
}

fn write_loss_serial(row: u32) {
  let begin = row * params.columns;
  var sum = 0.0;
  for (var c = 0u; c < params.columns; c++) {
    sum += loss_at(begin, c);
  }
  loss[row] = sum / f32(params.columns);
}

fn write_loss_tiled(row: u32, local: u32) {
  let begin = row * params.columns;
  var sum = 0.0;
  for (var c = local; c < params.columns; c += 64u) {
    sum += loss_at(begin, c);
  }
  let total = reduce_sum(local, vec2f(sum, 0.0)).x;
  if local == 0u {
    loss[row] = total / f32(params.columns);
  }
}

@compute @workgroup_size(32)
fn binary_cross_entropy(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = flat_workgroup(group, groups) * 32u + local;
  if row >= row_count(params.rows) {
    return;
  }
  write_loss_serial(row);
}

@compute @workgroup_size(32)
fn binary_cross_entropy_gradient(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = flat_workgroup(group, groups) * 32u + local;
  if row >= row_count(params.rows) {
    return;
  }
  write_loss_serial(row);
  for (var c = 0u; c < params.columns; c++) {
    write_gradient(row * params.columns, c);
  }
}

@compute @workgroup_size(64)
fn binary_cross_entropy_tiled(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = flat_workgroup(group, groups);
  if row >= row_count(params.rows) {
    return;
  }
  write_loss_tiled(row, local);
}

@compute @workgroup_size(64)
fn binary_cross_entropy_gradient_tiled(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = flat_workgroup(group, groups);
  if row >= row_count(params.rows) {
    return;
  }
  write_loss_tiled(row, local);
  for (var c = local; c < params.columns; c += 64u) {
    write_gradient(row * params.columns, c);
  }
}
