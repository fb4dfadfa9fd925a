// output = word[id] + position[position] + type[type id], [T, columns]. Four columns an invocation.
// The word table comes in slices of whole rows, a dispatch each: a dispatch writes the tokens whose id its slice holds. In front
// stands `const STORAGE`, how it is kept: 0 f32, 1 f16, 2 signed bytes times their row's scale; rows begin with a whole word.

struct EmbeddingsParams {
  columns: u32,
  first_row: u32,  // of the slice, in the whole table
  slice_rows: u32,
}

@group(0) @binding(1) var<uniform> params: EmbeddingsParams;
@group(0) @binding(2) var<storage, read> tokens: array<vec4u>; // id, position, type id, sequence
@group(0) @binding(3) var<storage, read> word: array<u32>;
@group(0) @binding(4) var<storage, read> position: array<f32>;
@group(0) @binding(5) var<storage, read> token_type: array<f32>;
@group(0) @binding(6) var<storage, read> scales: array<f32>;
@group(0) @binding(7) var<storage, read_write> output: array<f32>;

fn word_element(row: u32, column: u32) -> f32 {
  if STORAGE == 0u {
    return bitcast<f32>(word[row * params.columns + column]);
  }
  if STORAGE == 1u {
    return unpack2x16float(word[row * ((params.columns + 1u) / 2u) + column / 2u])[column % 2u];
  }
  let four = word[row * ((params.columns + 3u) / 4u) + column / 4u];
  return f32(extractBits(i32(four), (column % 4u) * 8u, 8u)) * scales[row];
}

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
    output[row * params.columns + c] = word_element(slice_row, c)
      + position[token.y * params.columns + c]
      + token_type[token.z * params.columns + c];
  }
}
