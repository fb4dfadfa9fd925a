// Products with a frozen weight W [N, K] in f16 or int8, rows of words (src/backends/frozen-matrix.ts): x Wᵀ + b and dy W, summed in
// f32. In front stands `const STORAGE`: 1 two halves a word, 2 four signed bytes a word, times their row's scale.

struct FrozenParams {
  rows: u32,         // row code of left and result
  columns: u32,      // of the result
  inner: u32,
  right_column: u32, // 1 where the columns of the result are those of W
  right_inner: u32,
  has_bias: u32,
  has_addend: u32,
  storage: u32,
}

@group(0) @binding(1) var<uniform> params: FrozenParams;
@group(0) @binding(2) var<storage, read> left: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<u32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read> scales: array<f32>;
@group(0) @binding(6) var<storage, read_write> result: array<f32>;

const PER_WORD = select(4u, 2u, STORAGE == 1u);

// Row n of W, without its scale.
fn element(word: u32, place: u32) -> f32 {
  if STORAGE == 1u {
    return unpack2x16float(word)[place];
  }
  return f32(extractBits(i32(word), place * 8u, 8u));
}

fn scale_of(row: u32) -> f32 {
  if STORAGE == 1u {
    return 1.0;
  }
  return scales[row];
}

// An invocation owns a row's four neighbouring columns; four rows lie side by side in a workgroup.
@compute @workgroup_size(8, 16)
fn frozen_linear_forward(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y;
  let column = id.x * 4u;
  if row >= row_count(params.rows) || column >= params.columns {
    return;
  }
  let words = (params.inner + PER_WORD - 1u) / PER_WORD;
  for (var j = column; j < min(column + 4u, params.columns); j++) {
    var sum = 0.0;
    for (var k = 0u; k < params.inner; k++) {
      sum += left[row * params.inner + k] * element(weight[j * words + k / PER_WORD], k % PER_WORD);
    }
    sum *= scale_of(j);
    if params.has_bias != 0u {
      sum += bias[j];
    }
    result[row * params.columns + j] = sum;
  }
}

@compute @workgroup_size(8, 16)
fn frozen_linear_input_gradient(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y;
  let column = id.x * 4u;
  if row >= row_count(params.rows) || column >= params.columns {
    return;
  }
  let words = (params.columns + PER_WORD - 1u) / PER_WORD;
  for (var j = column; j < min(column + 4u, params.columns); j++) {
    var sum = 0.0;
    for (var n = 0u; n < params.inner; n++) {
      let factor = left[row * params.inner + n] * scale_of(n);
      sum += factor * element(weight[n * words + j / PER_WORD], j % PER_WORD);
    }
    result[row * params.columns + j] = sum;
  }
}
