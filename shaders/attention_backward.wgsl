// The backward pass of attention.wgsl, which recomputes the probabilities from q, k and the saved log-sum-exp:
//   p_ij = exp(s_ij − lse_i), dp_ij = f_ij do_i · v_j, ds_ij = p_ij (dp_ij − D_i) with D_i = do_i · o_i,
//   dq_i = Σ_j ds_ij k_j / √d, dk_j = Σ_i ds_ij q_i / √d, dv_j = Σ_i f_ij p_ij do_i; f: dropout's factors.
// One kernel goes by query (dq, and D for the other), one by key (dk, dv). Derivation: docs/derivations/attention.md.

@group(0) @binding(4) var<storage, read> output_gradient: array<vec4f>; // [T, hidden]
@group(0) @binding(5) var<storage, read> log_sum_exp: array<f32>;       // [T, heads]
@group(0) @binding(6) var<storage, read_write> qkv_gradient: array<vec4f>; // [T, 3 hidden]

@group(0) @binding(7) var<storage, read> output: array<vec4f>;           // [T, hidden]
@group(0) @binding(8) var<storage, read_write> delta_output: array<f32>; // D, [T, heads]

@group(0) @binding(7) var<storage, read> delta: array<f32>; // D again, for the kernel that reads it

fn load_output_gradient(quads: vec4u) -> mat4x4f {
  return mat4x4f(
    output_gradient[quads.x], output_gradient[quads.y], output_gradient[quads.z], output_gradient[quads.w],
  );
}

fn load_log_sum_exp(rows: vec4u) -> vec4f {
  return vec4f(log_sum_exp[rows.x], log_sum_exp[rows.y], log_sum_exp[rows.z], log_sum_exp[rows.w]);
}

// qkv_gradient of four rows = value, or += value once a block has been written.
fn add_gradient(quads: vec4u, live: vec4<bool>, value: mat4x4f, is_first: bool) {
  var sum = value;
  if !is_first {
    sum += mat4x4f(qkv_gradient[quads.x], qkv_gradient[quads.y], qkv_gradient[quads.z], qkv_gradient[quads.w]);
  }
  if live.x { qkv_gradient[quads.x] = sum[0]; }
  if live.y { qkv_gradient[quads.y] = sum[1]; }
  if live.z { qkv_gradient[quads.z] = sum[2]; }
  if live.w { qkv_gradient[quads.w] = sum[3]; }
}

// Serial, by query: own queries are the rows' side, keys pass by. Matrices are m[query][key].
@compute @workgroup_size(16)
fn attention_backward_query(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = find_quad_place(flat_workgroup(group, groups), local);
  if !place.is_live {
    return;
  }
  let random = random_key(params.op_key);
  let tokens = tokens4(place, place.first);
  let live = live4(place, place.first);
  let q = query_quads(tokens, place.head);
  let row = output_quads(tokens, place.head);
  let own = tokens * params.heads + place.head;
  var own_delta = vec4f();
  for (var c = 0u; c < params.head_quads; c++) {
    let d = load_output_gradient(row + c);
    own_delta += vec4f(
      dot(d[0], output[row.x + c]),
      dot(d[1], output[row.y + c]),
      dot(d[2], output[row.z + c]),
      dot(d[3], output[row.w + c]),
    );
  }
  let log_sums = load_log_sum_exp(own);
  for (var key = 0u; key < place.length; key += 4u) {
    let k = query_quads(tokens4(place, key), place.head) + hidden_quads();
    var s = mat4x4f();
    var p_gradient = mat4x4f();
    for (var c = 0u; c < params.head_quads; c++) {
      s += transpose(load_qkv(k + c)) * load_qkv(q + c);
      p_gradient += transpose(load_qkv(k + hidden_quads() + c)) * load_output_gradient(row + c);
    }
    p_gradient = multiply4(p_gradient, factors4(random, tokens, place.head, key / 4u));
    // Past the sequence's end a probability is 0.
    let scales = select(vec4f(), vec4f(params.scale), live4(place, key));
    let s_gradient = mat4x4f(
      exp(s[0] * params.scale - log_sums.x) * (p_gradient[0] - own_delta.x) * scales,
      exp(s[1] * params.scale - log_sums.y) * (p_gradient[1] - own_delta.y) * scales,
      exp(s[2] * params.scale - log_sums.z) * (p_gradient[2] - own_delta.z) * scales,
      exp(s[3] * params.scale - log_sums.w) * (p_gradient[3] - own_delta.w) * scales,
    );
    for (var c = 0u; c < params.head_quads; c++) {
      add_gradient(q + c, live, load_qkv(k + c) * s_gradient, key == 0u);
    }
  }
  if live.x { delta_output[own.x] = own_delta.x; }
  if live.y { delta_output[own.y] = own_delta.y; }
  if live.z { delta_output[own.z] = own_delta.z; }
  if live.w { delta_output[own.w] = own_delta.w; }
}

// Serial, by key: own keys and values, queries pass by. Matrices are m[query][key] again, since dropout goes by query.
@compute @workgroup_size(16)
fn attention_backward_key(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = find_quad_place(flat_workgroup(group, groups), local);
  if !place.is_live {
    return;
  }
  let random = random_key(params.op_key);
  let live = live4(place, place.first);
  let k = query_quads(tokens4(place, place.first), place.head) + hidden_quads();
  let v = k + hidden_quads();
  for (var query = 0u; query < place.length; query += 4u) {
    let tokens = tokens4(place, query);
    let q = query_quads(tokens, place.head);
    let row = output_quads(tokens, place.head);
    let r = tokens * params.heads + place.head;
    var s = mat4x4f();
    var p_gradient = mat4x4f();
    for (var c = 0u; c < params.head_quads; c++) {
      s += transpose(load_qkv(k + c)) * load_qkv(q + c);
      p_gradient += transpose(load_qkv(v + c)) * load_output_gradient(row + c);
    }
    let log_sums = load_log_sum_exp(r);
    // Past the sequence's end a probability is 0.
    let is_query = select(vec4f(), vec4f(1.0), live4(place, query));
    let p = mat4x4f(
      exp(s[0] * params.scale - log_sums.x) * is_query.x,
      exp(s[1] * params.scale - log_sums.y) * is_query.y,
      exp(s[2] * params.scale - log_sums.z) * is_query.z,
      exp(s[3] * params.scale - log_sums.w) * is_query.w,
    );
    let factors = factors4(random, tokens, place.head, place.first / 4u);
    p_gradient = multiply4(p_gradient, factors);
    let s_gradient = mat4x4f(
      p[0] * (p_gradient[0] - delta[r.x]) * params.scale,
      p[1] * (p_gradient[1] - delta[r.y]) * params.scale,
      p[2] * (p_gradient[2] - delta[r.z]) * params.scale,
      p[3] * (p_gradient[3] - delta[r.w]) * params.scale,
    );
    let s_by_key = transpose(s_gradient);
    let p_by_key = transpose(multiply4(p, factors));
    for (var c = 0u; c < params.head_quads; c++) {
      add_gradient(k + c, live, load_qkv(q + c) * s_by_key, query == 0u);
      add_gradient(v + c, live, load_output_gradient(row + c) * p_by_key, query == 0u);
    }
  }
}

// Tiled: 8 invocations a row of the tile; blocks of 8 rows of the other side pass through workgroup memory. An invocation
// makes one pair's p and ds, then every eighth quad of the gradients. 14 KiB at head size 64, the largest it is used for.
const PARTS = 8u;
const OWN = (TILED_QUADS + PARTS - 1u) / PARTS;
// As in attention.wgsl, a quad more than a row holds.
const STRIDE = TILED_QUADS + 1u;
const PAIR_STRIDE = PARTS + 1u;

var<workgroup> tile_a: array<vec4f, TILE * STRIDE>;   // by query: q / √d; by key: k / √d
var<workgroup> tile_b: array<vec4f, TILE * STRIDE>;   // by query: do;     by key: v
var<workgroup> block_a: array<vec4f, PARTS * STRIDE>; // by query: k;      by key: q
var<workgroup> block_b: array<vec4f, PARTS * STRIDE>; // by query: v;      by key: do
var<workgroup> pairs: array<vec2f, TILE * PAIR_STRIDE>; // ds and the dropped-out p of tile row × block row

// The score and the gradient of the probability of tile row × block row.
fn pair_products(row: u32, part: u32) -> vec2f {
  var products = vec2f();
  for (var c = 0u; c < params.head_quads; c++) {
    products += vec2f(
      dot(tile_a[row * STRIDE + c], block_a[part * STRIDE + c]),
      dot(tile_b[row * STRIDE + c], block_b[part * STRIDE + c]),
    );
  }
  return products;
}

@compute @workgroup_size(128)
fn attention_backward_query_tiled(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = find_place(flat_workgroup(group, groups));
  let row = local / PARTS;
  let part = local % PARTS;
  let last = place.length - 1u;
  let token = place.start + min(place.first + row, last);
  let is_live = place.is_live && place.first + row < place.length;
  let random = random_key(params.op_key);
  let own = token * params.heads + place.head;
  for (var i = local; i < TILE * params.head_quads; i += TILE * PARTS) {
    let r = i / params.head_quads;
    let c = i % params.head_quads;
    let other = place.start + min(place.first + r, last);
    tile_a[r * STRIDE + c] = qkv[query_quad(other, place.head) + c] * params.scale;
    tile_b[r * STRIDE + c] = output_gradient[output_quad(other, place.head) + c];
  }
  workgroupBarrier();
  var part_delta = 0.0;
  for (var c = part; c < params.head_quads; c += PARTS) {
    part_delta += dot(tile_b[row * STRIDE + c], output[output_quad(token, place.head) + c]);
  }
  pairs[row * PAIR_STRIDE + part] = vec2f(part_delta, 0.0);
  workgroupBarrier();
  var own_delta = 0.0;
  for (var j = 0u; j < PARTS; j++) {
    own_delta += pairs[row * PAIR_STRIDE + j].x;
  }
  let own_log_sum = log_sum_exp[own];
  var q_gradient: array<vec4f, OWN>;
  for (var first_key = 0u; first_key < place.length; first_key += PARTS) {
    workgroupBarrier(); // everyone is done with the last block
    for (var i = local; i < PARTS * params.head_quads; i += TILE * PARTS) {
      let r = i / params.head_quads;
      let c = i % params.head_quads;
      let k = query_quad(place.start + min(first_key + r, last), place.head) + hidden_quads() + c;
      block_a[r * STRIDE + c] = qkv[k];
      block_b[r * STRIDE + c] = qkv[k + hidden_quads()];
    }
    workgroupBarrier();
    let products = pair_products(row, part);
    let key = first_key + part;
    let p_gradient = products.y * probability_factors(random, token, place.head, key / 4u)[key % 4u];
    let p = select(0.0, exp(products.x - own_log_sum), key < place.length);
    pairs[row * PAIR_STRIDE + part] = vec2f(p * (p_gradient - own_delta), 0.0);
    workgroupBarrier();
    for (var j = 0u; j < PARTS; j++) {
      let s = pairs[row * PAIR_STRIDE + j].x;
      for (var i = 0u; i < OWN; i++) {
        // A column past the last reads the padding or the next row; it is not written.
        q_gradient[i] += s * block_a[min(j * STRIDE + part + i * PARTS, PARTS * STRIDE - 1u)];
      }
    }
  }
  if is_live {
    for (var i = 0u; i < OWN; i++) {
      let c = part + i * PARTS;
      if c < params.head_quads {
        qkv_gradient[query_quad(token, place.head) + c] = q_gradient[i] * params.scale;
      }
    }
    if part == 0u {
      delta_output[own] = own_delta;
    }
  }
}

@compute @workgroup_size(128)
fn attention_backward_key_tiled(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = find_place(flat_workgroup(group, groups));
  let row = local / PARTS;
  let part = local % PARTS;
  let last = place.length - 1u;
  let own_key = min(place.first + row, last);
  let random = random_key(params.op_key);
  for (var i = local; i < TILE * params.head_quads; i += TILE * PARTS) {
    let r = i / params.head_quads;
    let c = i % params.head_quads;
    let k = query_quad(place.start + min(place.first + r, last), place.head) + hidden_quads() + c;
    tile_a[r * STRIDE + c] = qkv[k] * params.scale;
    tile_b[r * STRIDE + c] = qkv[k + hidden_quads()];
  }
  var k_gradient: array<vec4f, OWN>;
  var v_gradient: array<vec4f, OWN>;
  for (var first_query = 0u; first_query < place.length; first_query += PARTS) {
    workgroupBarrier(); // everyone is done with the last block
    for (var i = local; i < PARTS * params.head_quads; i += TILE * PARTS) {
      let r = i / params.head_quads;
      let c = i % params.head_quads;
      let query = place.start + min(first_query + r, last);
      block_a[r * STRIDE + c] = qkv[query_quad(query, place.head) + c];
      block_b[r * STRIDE + c] = output_gradient[output_quad(query, place.head) + c];
    }
    workgroupBarrier();
    let products = pair_products(row, part);
    let query = place.start + min(first_query + part, last);
    let p = select(
      0.0,
      exp(products.x - log_sum_exp[query * params.heads + place.head]),
      first_query + part < place.length,
    );
    let factor = probability_factors(random, query, place.head, own_key / 4u)[own_key % 4u];
    let s = p * (products.y * factor - delta[query * params.heads + place.head]);
    pairs[row * PAIR_STRIDE + part] = vec2f(s, p * factor);
    workgroupBarrier();
    for (var j = 0u; j < PARTS; j++) {
      let pair = pairs[row * PAIR_STRIDE + j];
      for (var i = 0u; i < OWN; i++) {
        // As above: a column past the last is not written.
        let quad = min(j * STRIDE + part + i * PARTS, PARTS * STRIDE - 1u);
        k_gradient[i] += pair.x * block_a[quad];
        v_gradient[i] += pair.y * block_b[quad];
      }
    }
  }
  if place.is_live && place.first + row < place.length {
    let begin = query_quad(place.start + own_key, place.head) + hidden_quads();
    for (var i = 0u; i < OWN; i++) {
      let c = part + i * PARTS;
      if c < params.head_quads {
        qkv_gradient[begin + c] = k_gradient[i] * params.scale;
        qkv_gradient[begin + hidden_quads() + c] = v_gradient[i];
      }
    }
  }
}
