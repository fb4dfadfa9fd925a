// Softmax cross-entropy over the tokens of each sequence, of where a span starts and where it ends: logits [T, 2], spans [B, 2] →
// loss [B, 1], the mean of the two, and d loss / d logits in the same go.
// Serial: an invocation a sequence. Tiled: a workgroup of 64 a sequence.
// Derivation: docs/derivations/span_cross_entropy.md.

@group(0) @binding(2) var<storage, read> logits: array<vec2f>;
@group(0) @binding(3) var<storage, read> spans: array<vec2u>; // first and last token, from the sequence's own first one
@group(0) @binding(4) var<storage, read> offsets: array<u32>; // [B + 1]
@group(0) @binding(5) var<storage, read_write> loss: array<f32>;
@group(0) @binding(6) var<storage, read_write> logits_gradient: array<vec2f>;

// log Σ exp z of both columns, with the largest z subtracted, so that no exp overflows.
fn log_sum_serial(first: u32, end: u32) -> vec2f {
  var largest = logits[first];
  for (var token = first + 1u; token < end; token++) {
    largest = max(largest, logits[token]);
  }
  var sum = vec2f();
  for (var token = first; token < end; token++) {
    sum += exp(logits[token] - largest);
  }
  return largest + log(sum);
}

fn log_sum_tiled(first: u32, end: u32, local: u32) -> vec2f {
  var largest = logits[first];
  for (var token = first + local; token < end; token += 64u) {
    largest = max(largest, logits[token]);
  }
  largest = vec2f(reduce_max(local, largest.x), reduce_max(local, largest.y));
  var sum = vec2f();
  for (var token = first + local; token < end; token += 64u) {
    sum += exp(logits[token] - largest);
  }
  return largest + log(reduce_sum(local, sum));
}

fn write_loss(sequence: u32, first: u32, log_sum: vec2f) {
  let chosen = vec2f(logits[first + spans[sequence].x].x, logits[first + spans[sequence].y].y);
  let losses = log_sum - chosen;
  loss[sequence] = 0.5 * (losses.x + losses.y);
}

// (softmax z − one-hot) / 2 sequences of the logical batch
fn write_gradient(sequence: u32, first: u32, token: u32, log_sum: vec2f) {
  let one_hot = select(vec2f(), vec2f(1.0), vec2u(token - first) == spans[sequence]);
  logits_gradient[token] = (exp(logits[token] - log_sum) - one_hot) * 0.5 * batch.loss_scale;
}

@compute @workgroup_size(32)
fn span_cross_entropy(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let sequence = flat_workgroup(group, groups) * 32u + local;
  if sequence >= batch.sequences {
    return;
  }
  let first = offsets[sequence];
  write_loss(sequence, first, log_sum_serial(first, offsets[sequence + 1u]));
}

@compute @workgroup_size(32)
fn span_cross_entropy_gradient(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let sequence = flat_workgroup(group, groups) * 32u + local;
  if sequence >= batch.sequences {
    return;
  }
  let first = offsets[sequence];
  let end = offsets[sequence + 1u];
  let log_sum = log_sum_serial(first, end);
  write_loss(sequence, first, log_sum);
  for (var token = first; token < end; token++) {
    write_gradient(sequence, first, token, log_sum);
  }
}

@compute @workgroup_size(64)
fn span_cross_entropy_tiled(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let sequence = flat_workgroup(group, groups);
  if sequence >= batch.sequences {
    return;
  }
  let first = offsets[sequence];
  let log_sum = log_sum_tiled(first, offsets[sequence + 1u], local);
  if local == 0u {
    write_loss(sequence, first, log_sum);
  }
}

@compute @workgroup_size(64)
fn span_cross_entropy_gradient_tiled(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let sequence = flat_workgroup(group, groups);
  if sequence >= batch.sequences {
    return;
  }
  let first = offsets[sequence];
  let end = offsets[sequence + 1u];
  let log_sum = log_sum_tiled(first, end, local);
  if local == 0u {
    write_loss(sequence, first, log_sum);
  }
  for (var token = first + local; token < end; token += 64u) {
    write_gradient(sequence, first, token, log_sum);
  }
}
