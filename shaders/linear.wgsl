// y = x Wᵀ + b and its gradients; x [rows, K], W [N, K] as PyTorch keeps it, y [rows, N]. This file: parameters, places and
// stores. The entry points, one file a shape of product: linear_naive.wgsl, linear_serial.wgsl, …; products: lib/product_*.wgsl.
// W may be stored in f16 or int8: lib/right_*.wgsl.

// --- forward: x Wᵀ + b; gradient of x: dy W. Either may add a matrix of the result's shape (a residual).

struct ProductParams {
  rows: u32,         // row code of left and result
  columns: u32,      // of the result
  inner: u32,
  right_column: u32, // strides of the weight: from one column of the result to the next,
  right_inner: u32,  // and along the inner dimension
  has_bias: u32,
  has_addend: u32,
}

@group(0) @binding(1) var<uniform> params: ProductParams;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read_write> result: array<f32>;

fn product_place(tile: vec2u, height: u32, width: u32) -> TilePlace {
  return TilePlace(tile.y * height, tile.x * width, row_count(params.rows), params.columns, params.inner);
}

fn product_strides() -> Strides {
  return Strides(params.inner, 1u, params.right_column, params.right_inner);
}

// Stores 4×4 of the result, as far as they lie in it.
fn store_block(place: TilePlace, row: u32, column: u32, block: mat4x4f) {
  for (var i = row; i < min(row + 4u, place.rows); i++) {
    for (var j = column; j < min(column + 4u, place.columns); j++) {
      let at = i * place.columns + j;
      var value = block[i - row][j - column] * column_scale(j);
      if params.has_bias != 0u {
        value += bias[j];
      }
      if params.has_addend != 0u {
        value += addend_at(at);
      }
      result[at] = value;
    }
  }
}

// The same by fours, for columns that are a multiple of 4.
@group(0) @binding(4) var<storage, read> bias_by_4: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> result_by_4: array<vec4f>;

// What four columns of the result are multiplied by and added to.
struct Finish {
  scale: vec4f,
  shift: vec4f,
}

fn finish_of(column: u32) -> Finish {
  let scale = vec4f(
    column_scale(column), column_scale(column + 1u), column_scale(column + 2u), column_scale(column + 3u),
  );
  if params.has_bias != 0u {
    return Finish(scale, bias_by_4[column / 4u]);
  }
  return Finish(scale, vec4f());
}

// Stores four columns of one row, both inside the result.
fn store_row(place: TilePlace, row: u32, column: u32, sum: vec4f, finish: Finish) {
  let at = (row * place.columns + column) / 4u;
  var value = sum * finish.scale + finish.shift;
  if params.has_addend != 0u {
    value += addend4_at(at);
  }
  result_by_4[at] = value;
}

// --- gradient of W: dW += dyᵀ x, [N, K], over the live rows.

struct WeightGradientParams {
  rows: u32,    // row code of dy and x
  outputs: u32, // N
  inputs: u32,  // K
}

@group(0) @binding(1) var<uniform> weight_params: WeightGradientParams;
@group(0) @binding(4) var<storage, read_write> weight_gradient: array<f32>;

fn weight_gradient_place(tile: vec2u, size: u32) -> TilePlace {
  return TilePlace(
    tile.y * size, tile.x * size, weight_params.outputs, weight_params.inputs, row_count(weight_params.rows),
  );
}

fn weight_gradient_strides() -> Strides {
  return Strides(1u, weight_params.outputs, 1u, weight_params.inputs);
}

fn accumulate_block(place: TilePlace, row: u32, column: u32, block: mat4x4f) {
  for (var i = row; i < min(row + 4u, place.rows); i++) {
    for (var j = column; j < min(column + 4u, place.columns); j++) {
      weight_gradient[i * place.columns + j] += block[i - row][j - column];
    }
  }
}

// --- gradient of b: db += column sums of dy [rows, N].

struct BiasGradientParams {
  rows: u32, // row code of dy
  columns: u32,
}

@group(0) @binding(1) var<uniform> bias_params: BiasGradientParams;
@group(0) @binding(3) var<storage, read_write> bias_gradient: array<f32>;
