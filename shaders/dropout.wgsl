// output = x · dropout's factors over [rows, columns]. Four columns an invocation, one hash. The backward pass is the same
// kernel, on the gradient.

struct DropoutParams {
  rows: u32,       // row code
  columns: u32,
  op_key: u32,
  threshold: u32,
  keep_scale: f32,
}

@group(0) @binding(1) var<uniform> params: DropoutParams;
@group(0) @binding(2) var<storage, read> x: array<Element>;
@group(0) @binding(3) var<storage, read_write> output: array<Element>;

// A row's place in the logical batch.
fn logical_row(row: u32) -> u32 {
  switch params.rows {
    case 0u: { return batch.token_offset + row; }
    case 1u: { return batch.sequence_offset + row; }
    default: { return row; }
  }
}

@compute @workgroup_size(64)
fn dropout(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let quads = (params.columns + 3u) / 4u;
  let index = flat_workgroup(group, groups) * 64u + local;
  let row = index / quads;
  let quad = index % quads;
  if row >= row_count(params.rows) {
    return;
  }
  let factors = dropout_factors(
    random_key(params.op_key), logical_row(row), quad, params.threshold, params.keep_scale,
  );
  let columns = min(4u, params.columns - quad * 4u);
  let begin = (row * params.columns + quad * 4u) / ELEMENT_WIDTH;
  for (var i = 0u; i < columns / ELEMENT_WIDTH; i++) {
    output[begin + i] = x[begin + i] * element_of(factors, i);
  }
}
