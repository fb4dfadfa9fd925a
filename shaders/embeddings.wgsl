// output = word[id] + position[position] + type[type id], [T, columns]. Four columns an invocation.
// The word table comes in slices of whole rows, a dispatch each: a dispatch writes the tokens whose id its slice holds.

struct EmbeddingsParams {
  columns: u32,
  first_row: u32,  // of the slice, in the whole table
  slice_rows: u32,
}

@group(0) @binding(1) var<uniform> params: EmbeddingsParams;
@group(0) @binding(2) var<storage, read> tokens: array<vec4u>; // id, position, type id, sequence
@group(0) @binding(3) var<storage, read> word: array<f32>;
@group(0) @binding(4) var<storage, read> position: array<f32>;
@group(0) @binding(5) var<storage, read> token_type: array<f32>;
@group(0) @binding(6) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn embeddings(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let quads = (params.columns + 3u) / 4u;
  let index = flat_workgroup(group, groups) * 64u + local;
  let row = index / quads;
  if row >= batch.tokens {
    return;
  }
  let token = tokens[row];
  // Below the slice the difference wraps around and is too large as well.
  let slice_row = token.x - params.first_row;
  if slice_row >= params.slice_rows {
    return;
  }
  let begin = (index % quads) * 4u;
  for (var c = begin; c < min(begin + 4u, params.columns); c++) {
    output[row * params.columns + c] = word[slice_row * params.columns + c]
      + position[token.y * params.columns + c]
      + token_type[token.z * params.columns + c];
  }
}
