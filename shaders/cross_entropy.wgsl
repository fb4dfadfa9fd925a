// Softmax cross-entropy of logits [B, classes] against class numbers: loss [B, 1], and d loss / d logits in the same go.
// Serial: an invocation a sequence. Tiled: a workgroup of 64 a sequence, since a thousand classes in a row are slow for one.
// Derivation: docs/derivations/cross_entropy.md.

struct CrossEntropyParams {
  classes: u32,
}

@group(0) @binding(1) var<uniform> params: CrossEntropyParams;
@group(0) @binding(2) var<storage, read> logits: array<f32>;
@group(0) @binding(3) var<storage, read> labels: array<u32>;
@group(0) @binding(4) var<storage, read_write> loss: array<f32>;
@group(0) @binding(5) var<storage, read_write> logits_gradient: array<f32>;

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

// (softmax z − one-hot) / sequences of the logical batch
fn write_gradient(begin: u32, c: u32, label: u32, log_sum: f32) {
  let probability = exp(logits[begin + c] - log_sum);
  logits_gradient[begin + c] = (probability - select(0.0, 1.0, c == label)) * batch.loss_scale;
}

@compute @workgroup_size(32)
fn cross_entropy(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let sequence = group.x * 32u + local;
  if sequence >= batch.sequences {
    return;
  }
  let begin = sequence * params.classes;
  loss[sequence] = log_sum_serial(begin) - logits[begin + labels[sequence]];
}

@compute @workgroup_size(32)
fn cross_entropy_gradient(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let sequence = group.x * 32u + local;
  if sequence >= batch.sequences {
    return;
  }
  let begin = sequence * params.classes;
  let log_sum = log_sum_serial(begin);
  let label = labels[sequence];
  loss[sequence] = log_sum - logits[begin + label];
  for (var c = 0u; c < params.classes; c++) {
    write_gradient(begin, c, label, log_sum);
  }
}

@compute @workgroup_size(64)
fn cross_entropy_tiled(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let sequence = group.x;
  let begin = sequence * params.classes;
  let log_sum = log_sum_tiled(begin, local);
  if local == 0u {
    loss[sequence] = log_sum - logits[begin + labels[sequence]];
  }
}

@compute @workgroup_size(64)
fn cross_entropy_gradient_tiled(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let sequence = group.x;
  let begin = sequence * params.classes;
  let log_sum = log_sum_tiled(begin, local);
  let label = labels[sequence];
  if local == 0u {
    loss[sequence] = log_sum - logits[begin + label];
  }
  for (var c = local; c < params.classes; c += 64u) {
    write_gradient(begin, c, label, log_sum);
  }
}
