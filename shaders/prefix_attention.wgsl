// Keys and values beside those of the sequence that every query attends to: prefix [2 length, hidden], keys, then values. Attention
// within the sequence runs first (attention.wgsl) and leaves its output and log-sum-exp; these kernels add the prefix to both, and
// to the gradients. Derivation: docs/derivations/prefix_attention.md. In front stands `const PREFIX`, the length.

struct PrefixAttentionParams {
  heads: u32,
  head_quads: u32, // head size / 4
  scale: f32,      // 1 / √head size
  op_key: u32,
  threshold: u32,  // dropout: see lib/random.wgsl
  keep_scale: f32,
}

@group(0) @binding(1) var<uniform> params: PrefixAttentionParams;
@group(0) @binding(2) var<storage, read> qkv: array<vec4f>; // [T, 3 hidden]
@group(0) @binding(3) var<storage, read> prefix: array<vec4f>;

fn hidden_quads() -> u32 {
  return params.heads * params.head_quads;
}

fn query_at(token: u32, head: u32) -> u32 {
  return token * 3u * hidden_quads() + head * params.head_quads;
}

fn key_at(j: u32, head: u32) -> u32 {
  return j * hidden_quads() + head * params.head_quads;
}

fn value_at(j: u32, head: u32) -> u32 {
  return key_at(PREFIX + j, head);
}

fn score(token: u32, head: u32, j: u32) -> f32 {
  let q = query_at(token, head);
  let k = key_at(j, head);
  var sum = 0.0;
  for (var c = 0u; c < params.head_quads; c++) {
    sum += dot(qkv[q + c], prefix[k + c]);
  }
  return sum * params.scale;
}

// Dropout's factor of a query and key j of the prefix: the counters of a head's keys from 131,072 on, which no text reaches.
fn factor_of(key: vec2u, token: u32, head: u32, j: u32) -> f32 {
  if params.threshold == 0u {
    return 1.0;
  }
  let place = head * 65536u + 32768u + j / 4u;
  let row = batch.token_offset + token;
  return dropout_factors(key, row, place, params.threshold, params.keep_scale)[j % 4u];
}

@group(0) @binding(4) var<storage, read> own_output: array<vec4f>; // [T, hidden], of the sequence's keys alone
@group(0) @binding(5) var<storage, read> own_log_sum: array<f32>;  // [T, heads]
@group(0) @binding(6) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> log_sum_exp: array<f32>;

// An invocation a query and head.
@compute @workgroup_size(64)
fn prefix_attention_forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = flat_workgroup(group, groups) * 64u + local;
  if index >= batch.tokens * params.heads {
    return;
  }
  let token = index / params.heads;
  let head = index % params.heads;
  let random = random_key(params.op_key);
  var weights: array<f32, PREFIX>;
  var largest = own_log_sum[index];
  for (var j = 0u; j < PREFIX; j++) {
    weights[j] = score(token, head, j);
    largest = max(largest, weights[j]);
  }
  let own = exp(own_log_sum[index] - largest);
  var sum = own;
  for (var j = 0u; j < PREFIX; j++) {
    weights[j] = exp(weights[j] - largest);
    sum += weights[j];
  }
  log_sum_exp[index] = largest + log(sum);
  for (var j = 0u; j < PREFIX; j++) {
    weights[j] *= factor_of(random, token, head, j) / sum;
  }
  let at = key_at(token, head);
  for (var c = 0u; c < params.head_quads; c++) {
    var o = own_output[at + c] * (own / sum);
    for (var j = 0u; j < PREFIX; j++) {
      o += weights[j] * prefix[value_at(j, head) + c];
    }
    output[at + c] = o;
  }
}

@group(0) @binding(4) var<storage, read> output_gradient: array<vec4f>; // [T, hidden]
@group(0) @binding(5) var<storage, read> all_log_sum: array<f32>;       // [T, heads], prefix included
@group(0) @binding(6) var<storage, read> delta: array<f32>;             // [T, heads]: do · o
@group(0) @binding(7) var<storage, read_write> qkv_gradient: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> pairs: array<f32>;       // [T, 2 heads length]: ds / √d, then f p

// dq += Σ ds k / √d, and what the gradients of keys and values are summed from.
@compute @workgroup_size(64)
fn prefix_attention_backward_query(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = flat_workgroup(group, groups) * 64u + local;
  if index >= batch.tokens * params.heads {
    return;
  }
  let token = index / params.heads;
  let head = index % params.heads;
  let random = random_key(params.op_key);
  let at = key_at(token, head);
  let pair = (token * 2u * params.heads + head) * PREFIX;
  var s_gradients: array<f32, PREFIX>;
  for (var j = 0u; j < PREFIX; j++) {
    let v = value_at(j, head);
    var p_gradient = 0.0;
    for (var c = 0u; c < params.head_quads; c++) {
      p_gradient += dot(output_gradient[at + c], prefix[v + c]);
    }
    let factor = factor_of(random, token, head, j);
    let p = exp(score(token, head, j) - all_log_sum[index]);
    s_gradients[j] = p * (p_gradient * factor - delta[index]) * params.scale;
    pairs[pair + j] = s_gradients[j];
    pairs[pair + params.heads * PREFIX + j] = p * factor;
  }
  let q = query_at(token, head);
  for (var c = 0u; c < params.head_quads; c++) {
    var sum = vec4f();
    for (var j = 0u; j < PREFIX; j++) {
      sum += s_gradients[j] * prefix[key_at(j, head) + c];
    }
    qkv_gradient[q + c] += sum;
  }
}

@group(0) @binding(3) var<storage, read> key_output_gradient: array<vec4f>; // do again
@group(0) @binding(4) var<storage, read> saved_pairs: array<f32>;
@group(0) @binding(5) var<storage, read_write> prefix_gradient: array<vec4f>;

// dk += Σ ds q / √d and dv += Σ f p do over the tokens, in their order: an invocation a quad of the prefix.
@compute @workgroup_size(64)
fn prefix_attention_backward_key(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = flat_workgroup(group, groups) * 64u + local;
  if index >= 2u * PREFIX * hidden_quads() {
    return;
  }
  let row = index / hidden_quads();
  let quad = index % hidden_quads();
  let head = quad / params.head_quads;
  let is_value = row >= PREFIX;
  let pair = select(head * PREFIX + row, (params.heads + head) * PREFIX + row - PREFIX, is_value);
  var sum = vec4f();
  for (var token = 0u; token < batch.tokens; token++) {
    let weight = saved_pairs[token * 2u * params.heads * PREFIX + pair];
    if is_value {
      sum += weight * key_output_gradient[token * hidden_quads() + quad];
    } else {
      sum += weight * qkv[token * 3u * hidden_quads() + quad];
    }
  }
  prefix_gradient[index] += sum;
}
