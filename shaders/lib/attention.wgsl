// What attention's forward and backward kernels share. A workgroup takes one tile of the tile table (up to 16 tokens of one
// sequence) and one head. Sizes are parameters, not constants: unrolled, these kernels take a software driver a minute to
// compile. Only workgroup memory is sized by a constant, TILED_QUADS: the largest head size / 4 that tiled kernels meet.

struct AttentionParams {
  heads: u32,
  head_quads: u32, // head size / 4
  scale: f32,      // 1 / √head size
  op_key: u32,
  threshold: u32,  // dropout: see lib/random.wgsl
  keep_scale: f32,
}

const TILE = 16u;
// Below every score, yet far enough from the end of f32 that differences of two do not overflow.
const NO_SCORE = -1e30;

@group(0) @binding(1) var<uniform> params: AttentionParams;
// [T, 3 hidden] as quads of columns: all heads' queries, then keys, then values.
@group(0) @binding(2) var<storage, read> qkv: array<vec4f>;
// First token of the sequence, its length, first token of the tile counted in the sequence, sequence.
@group(0) @binding(3) var<storage, read> tiles: array<vec4u>;

struct Place {
  start: u32,  // first token of the sequence
  length: u32, // of the sequence
  first: u32,  // first token of the tile, counted in the sequence
  head: u32,
  is_live: bool,
}

// Heads run fastest: neighbouring workgroups read neighbouring columns of the same rows.
fn find_place(flat: u32) -> Place {
  let is_live = flat < batch.tiles * params.heads;
  let tile = tiles[min(flat / params.heads, batch.tiles - 1u)];
  return Place(tile.x, tile.y, tile.z, flat % params.heads, is_live);
}

// Quads in a row of the heads' outputs; a row of qkv has three times as many.
fn hidden_quads() -> u32 {
  return params.heads * params.head_quads;
}

// First quad of a token's query; its key lies hidden_quads() further, its value as much again.
fn query_quad(token: u32, head: u32) -> u32 {
  return token * 3u * hidden_quads() + head * params.head_quads;
}

fn output_quad(token: u32, head: u32) -> u32 {
  return token * hidden_quads() + head * params.head_quads;
}

// Dropout's factors for the probabilities of one query with the keys 4 key_quad … + 3, counted in the sequence.
// `query` is a token of the micro-batch. The counter's last word holds head and key: 65,536 quads are 262,144 tokens.
fn probability_factors(key: vec2u, query: u32, head: u32, key_quad: u32) -> vec4f {
  if params.threshold == 0u {
    return vec4f(1.0);
  }
  let place = head * 65536u + key_quad;
  return dropout_factors(key, batch.token_offset + query, place, params.threshold, params.keep_scale);
}

// The serial kernels' share: a workgroup of 16 takes a tile and four heads, an invocation four tokens of the tile and one
// head. It meets four tokens of the other side at a time, in 4×4 blocks of matrices whose columns are rows' quads: twice the
// arithmetic for each load than one token against many.
struct QuadPlace {
  start: u32,     // first token of the sequence
  length: u32,    // of the sequence
  first: u32,     // first own token, counted in the sequence
  head: u32,
  is_live: bool,
}

fn find_quad_place(flat: u32, local: u32) -> QuadPlace {
  let head_groups = (params.heads + 3u) / 4u;
  let tile = tiles[min(flat / head_groups, batch.tiles - 1u)];
  let head = flat % head_groups * 4u + local / 4u;
  let first = tile.z + local % 4u * 4u;
  let is_live = flat < batch.tiles * head_groups && head < params.heads && first < tile.y;
  return QuadPlace(tile.x, tile.y, first, head, is_live);
}

// Four tokens from `first` on, counted in the sequence; past its end the last one again, which `live4` tells.
fn tokens4(place: QuadPlace, first: u32) -> vec4u {
  return place.start + min(first + vec4u(0u, 1u, 2u, 3u), vec4u(place.length - 1u));
}

fn live4(place: QuadPlace, first: u32) -> vec4<bool> {
  return first + vec4u(0u, 1u, 2u, 3u) < vec4u(place.length);
}

fn query_quads(tokens: vec4u, head: u32) -> vec4u {
  return tokens * (3u * hidden_quads()) + head * params.head_quads;
}

fn output_quads(tokens: vec4u, head: u32) -> vec4u {
  return tokens * hidden_quads() + head * params.head_quads;
}

fn load_qkv(quads: vec4u) -> mat4x4f {
  return mat4x4f(qkv[quads.x], qkv[quads.y], qkv[quads.z], qkv[quads.w]);
}

// The dropout factors of four queries with one quad of keys: m[query][key].
fn factors4(random: vec2u, queries: vec4u, head: u32, key_quad: u32) -> mat4x4f {
  return mat4x4f(
    probability_factors(random, queries.x, head, key_quad),
    probability_factors(random, queries.y, head, key_quad),
    probability_factors(random, queries.z, head, key_quad),
    probability_factors(random, queries.w, head, key_quad),
  );
}

fn multiply4(a: mat4x4f, b: mat4x4f) -> mat4x4f {
  return mat4x4f(a[0] * b[0], a[1] * b[1], a[2] * b[2], a[3] * b[3]);
}
