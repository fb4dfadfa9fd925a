// The gradient of one of the embeddings' tables: row `token[field]` += dy of the token, for every token. An invocation a column
// adds them in their order: no two write one place, and the same batch gives the same bits. dy [T, columns].

struct EmbeddingsGradientParams {
  columns: u32,
  field: u32, // of a token: 0 its id, 1 its position, 2 its type
}

@group(0) @binding(1) var<uniform> params: EmbeddingsGradientParams;
@group(0) @binding(2) var<storage, read> tokens: array<vec4u>; // id, position, type id, sequence
@group(0) @binding(3) var<storage, read> output_gradient: array<f32>;
@group(0) @binding(4) var<storage, read_write> table_gradient: array<f32>;

@compute @workgroup_size(64)
fn embeddings_gradient(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x;
  if column >= params.columns {
    return;
  }
  for (var token = 0u; token < batch.tokens; token++) {
    let row = tokens[token][params.field];
    table_gradient[row * params.columns + column] += output_gradient[token * params.columns + column];
  }
}
