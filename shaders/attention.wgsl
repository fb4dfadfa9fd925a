// o = softmax(q kᵀ / √d) v for each head within each sequence, online softmax (Milakov and Gimelshein 2018; Dao et al. 2022):
// running maximum m, running sum, and an output that is rescaled when m grows. Derivation: docs/derivations/attention.md.

@group(0) @binding(4) var<storage, read_write> output: array<vec4f>;      // [T, hidden]
@group(0) @binding(5) var<storage, read_write> log_sum_exp: array<f32>;   // [T, heads], saved for the backward pass

fn store_output(quads: vec4u, live: vec4<bool>, value: mat4x4f) {
  if live.x { output[quads.x] = value[0]; }
  if live.y { output[quads.y] = value[1]; }
  if live.z { output[quads.z] = value[2]; }
  if live.w { output[quads.w] = value[3]; }
}

// Serial: `output` holds the unfinished sums between blocks of four keys. Returns the log-sum-exp of the four queries.
fn attend(place: QuadPlace) -> vec4f {
  let random = random_key(params.op_key);
  let tokens = tokens4(place, place.first);
  let live = live4(place, place.first);
  let q = query_quads(tokens, place.head);
  let own = output_quads(tokens, place.head);
  var largest = vec4f(NO_SCORE);
  var sum = vec4f();
  for (var key = 0u; key < place.length; key += 4u) {
    let k = query_quads(tokens4(place, key), place.head) + hidden_quads();
    let is_key = live4(place, key);
    var s = mat4x4f(); // s[key][query]
    for (var c = 0u; c < params.head_quads; c++) {
      s += transpose(load_qkv(q + c)) * load_qkv(k + c);
    }
    s = mat4x4f(
      s[0] * params.scale,
      select(vec4f(NO_SCORE), s[1] * params.scale, is_key.y),
      select(vec4f(NO_SCORE), s[2] * params.scale, is_key.z),
      select(vec4f(NO_SCORE), s[3] * params.scale, is_key.w),
    );
    let larger = max(largest, max(max(s[0], s[1]), max(s[2], s[3])));
    let correction = exp(largest - larger);
    let p = mat4x4f(exp(s[0] - larger), exp(s[1] - larger), exp(s[2] - larger), exp(s[3] - larger));
    largest = larger;
    sum = sum * correction + p[0] + p[1] + p[2] + p[3];
    let weights = multiply4(transpose(p), factors4(random, tokens, place.head, key / 4u)); // weights[query][key]
    let finish = select(vec4f(1.0), 1.0 / sum, key + 4u >= place.length);
    for (var c = 0u; c < params.head_quads; c++) {
      var o = load_qkv(k + hidden_quads() + c) * weights; // o[query], a quad each
      if key > 0u {
        o += mat4x4f(
          output[own.x + c] * correction.x,
          output[own.y + c] * correction.y,
          output[own.z + c] * correction.z,
          output[own.w + c] * correction.w,
        );
      }
      store_output(own + c, live, mat4x4f(o[0] * finish.x, o[1] * finish.y, o[2] * finish.z, o[3] * finish.w));
    }
  }
  return largest + log(sum);
}

@compute @workgroup_size(16)
fn attention_forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = find_quad_place(flat_workgroup(group, groups), local);
  if place.is_live {
    _ = attend(place);
  }
}

@compute @workgroup_size(16)
fn attention_forward_saving(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = find_quad_place(flat_workgroup(group, groups), local);
  if !place.is_live {
    return;
  }
  let result = attend(place);
  let live = live4(place, place.first);
  let rows = tokens4(place, place.first) * params.heads + place.head;
  if live.x { log_sum_exp[rows.x] = result.x; }
  if live.y { log_sum_exp[rows.y] = result.y; }
  if live.z { log_sum_exp[rows.z] = result.z; }
  if live.w { log_sum_exp[rows.w] = result.w; }
}

// Tiled: 8 invocations a query. Blocks of 16 keys and values pass through workgroup memory; an invocation makes the scores
// of two keys, then every eighth quad of the output. 14 KiB of workgroup memory at head size 64, the largest it is used for.
const PARTS = 8u;
const OWN = (TILED_QUADS + PARTS - 1u) / PARTS;
// A quad more than a row holds: eight rows read at once then lie in different banks.
const STRIDE = TILED_QUADS + 1u;
const SCORE_STRIDE = TILE + 1u;

var<workgroup> tile_q: array<vec4f, TILE * STRIDE>;
var<workgroup> block_k: array<vec4f, TILE * STRIDE>;
var<workgroup> block_v: array<vec4f, TILE * STRIDE>;
var<workgroup> tile_scores: array<f32, TILE * SCORE_STRIDE>;

struct Attended {
  is_live: bool,
  token: u32,
  head: u32,
  log_sum_exp: f32,
}

fn attend_tiled(flat: u32, local: u32) -> Attended {
  let place = find_place(flat);
  let row = local / PARTS;
  let part = local % PARTS;
  let last = place.length - 1u;
  let token = place.start + min(place.first + row, last);
  let is_live = place.is_live && place.first + row < place.length;
  let random = random_key(params.op_key);
  let score = row * SCORE_STRIDE + part;
  for (var i = local; i < TILE * params.head_quads; i += TILE * PARTS) {
    let r = i / params.head_quads;
    let c = i % params.head_quads;
    let query = place.start + min(place.first + r, last);
    tile_q[r * STRIDE + c] = qkv[query_quad(query, place.head) + c] * params.scale;
  }
  var o: array<vec4f, OWN>;
  var largest = NO_SCORE;
  var sum = 0.0; // over this invocation's keys
  for (var key = 0u; key < place.length; key += TILE) {
    workgroupBarrier(); // everyone is done with the last block
    for (var i = local; i < TILE * params.head_quads; i += TILE * PARTS) {
      let r = i / params.head_quads;
      let c = i % params.head_quads;
      let k = query_quad(place.start + min(key + r, last), place.head) + hidden_quads() + c;
      block_k[r * STRIDE + c] = qkv[k];
      block_v[r * STRIDE + c] = qkv[k + hidden_quads()];
    }
    workgroupBarrier();
    var scores = vec2f();
    for (var c = 0u; c < params.head_quads; c++) {
      let q = tile_q[row * STRIDE + c];
      scores += vec2f(dot(q, block_k[part * STRIDE + c]), dot(q, block_k[(part + PARTS) * STRIDE + c]));
    }
    let keys = vec2u(key + part, key + part + PARTS);
    scores = select(vec2f(NO_SCORE), scores, keys < vec2u(place.length));
    tile_scores[score] = scores.x;
    tile_scores[score + PARTS] = scores.y;
    workgroupBarrier();
    var larger = largest;
    for (var j = 0u; j < TILE; j++) {
      larger = max(larger, tile_scores[row * SCORE_STRIDE + j]);
    }
    workgroupBarrier(); // all maxima are taken before scores become probabilities
    let correction = exp(largest - larger);
    var p = exp(scores - larger);
    largest = larger;
    sum = sum * correction + p.x + p.y;
    p *= vec2f(
      probability_factors(random, token, place.head, keys.x / 4u)[keys.x % 4u],
      probability_factors(random, token, place.head, keys.y / 4u)[keys.y % 4u],
    );
    tile_scores[score] = p.x;
    tile_scores[score + PARTS] = p.y;
    workgroupBarrier();
    for (var i = 0u; i < OWN; i++) {
      o[i] *= correction;
    }
    for (var j = 0u; j < TILE; j++) {
      let weight = tile_scores[row * SCORE_STRIDE + j];
      for (var i = 0u; i < OWN; i++) {
        // A column past the last reads the padding or the next row; it is not written.
        o[i] += weight * block_v[min(j * STRIDE + part + i * PARTS, TILE * STRIDE - 1u)];
      }
    }
  }
  workgroupBarrier();
  tile_scores[score] = sum;
  workgroupBarrier();
  var total = 0.0;
  for (var j = 0u; j < PARTS; j++) {
    total += tile_scores[row * SCORE_STRIDE + j];
  }
  if is_live {
    let begin = output_quad(token, place.head);
    for (var i = 0u; i < OWN; i++) {
      let c = part + i * PARTS;
      if c < params.head_quads {
        output[begin + c] = o[i] / total;
      }
    }
  }
  return Attended(is_live && part == 0u, token, place.head, largest + log(total));
}

@compute @workgroup_size(128)
fn attention_forward_tiled(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  _ = attend_tiled(flat_workgroup(group, groups), local);
}

@compute @workgroup_size(128)
fn attention_forward_saving_tiled(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let result = attend_tiled(flat_workgroup(group, groups), local);
  if result.is_live {
    log_sum_exp[result.token * params.heads + result.head] = result.log_sum_exp;
  }
}
