// y = x Wᵀ + b and its gradients; x [rows, K], W [N, K] as PyTorch keeps it, y [rows, N]. Products: lib/product_*.wgsl.

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
@group(0) @binding(5) var<storage, read> addend: array<f32>;
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
      var value = block[i - row][j - column];
      if params.has_bias != 0u {
        value += bias[j];
      }
      if params.has_addend != 0u {
        value += addend[at];
      }
      result[at] = value;
    }
  }
}

fn store_tile(place: TilePlace, tile: Tile) {
  for (var block = 0u; block < 4u; block++) {
    store_block(place, block_row(place, block), block_column(place, block), tile[block]);
  }
}

// Two tiles side by side: a SIMD group of the driver then reads few lines of the weight, which lie K apart and would push
// one another out of the cache.
@compute @workgroup_size(2, 16)
fn linear_forward(@builtin(global_invocation_id) id: vec3u) {
  let place = product_place(id.xy, 8u, 8u);
  if place.row >= place.rows || place.column >= place.columns {
    return;
  }
  store_tile(place, product_nt(place));
}

@compute @workgroup_size(8, 4)
fn linear_input_gradient(@builtin(global_invocation_id) id: vec3u) {
  let place = product_place(id.xy, 8u, 8u);
  if place.row >= place.rows || place.column >= place.columns {
    return;
  }
  store_tile(place, product_nn(place));
}

@compute @workgroup_size(8, 4)
fn linear_product_strided(@builtin(global_invocation_id) id: vec3u) {
  let place = product_place(id.xy, 4u, 4u);
  if place.row >= place.rows || place.column >= place.columns {
    return;
  }
  store_block(place, place.row, place.column, product_strided(place, product_strides()));
}

@compute @workgroup_size(16, 16)
fn linear_product_tiled(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let place = product_place(group.xy, 64u, 64u);
  let block = product_tiled(place, product_strides(), local);
  store_block(place, place.row + local.y * 4u, place.column + local.x * 4u, block);
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

@compute @workgroup_size(8, 4)
fn linear_weight_gradient(@builtin(global_invocation_id) id: vec3u) {
  let place = weight_gradient_place(id.xy, 8u);
  if place.row >= place.rows || place.column >= place.columns {
    return;
  }
  let tile = product_tn(place);
  for (var block = 0u; block < 4u; block++) {
    accumulate_block(place, block_row(place, block), block_column(place, block), tile[block]);
  }
}

@compute @workgroup_size(8, 4)
fn linear_weight_gradient_strided(@builtin(global_invocation_id) id: vec3u) {
  let place = weight_gradient_place(id.xy, 4u);
  if place.row >= place.rows || place.column >= place.columns {
    return;
  }
  accumulate_block(place, place.row, place.column, product_strided(place, weight_gradient_strides()));
}

@compute @workgroup_size(256)
fn linear_weight_gradient_tiled(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let place = weight_gradient_place(group.xy, 16u);
  let block = product_split(place, weight_gradient_strides(), index);
  if index < 16u {
    accumulate_block(place, place.row + (index / 4u) * 4u, place.column + (index % 4u) * 4u, block);
  }
}

// --- gradient of b: db += column sums of dy [rows, N].

struct BiasGradientParams {
  rows: u32, // row code of dy
  columns: u32,
}

@group(0) @binding(1) var<uniform> bias_params: BiasGradientParams;
@group(0) @binding(3) var<storage, read_write> bias_gradient: array<f32>;

@compute @workgroup_size(16)
fn linear_bias_gradient(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x;
  if column >= bias_params.columns {
    return;
  }
  let count = row_count(bias_params.rows) * bias_params.columns;
  var sum = 0.0;
  for (var i = column; i < count; i += bias_params.columns) {
    sum += left[i];
  }
  bias_gradient[column] += sum;
}

// 16 columns × 16 slices of the rows; slice 0 sums the slices in order.
var<workgroup> column_sums: array<f32, 256>;

@compute @workgroup_size(16, 16)
fn linear_bias_gradient_tiled(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let column = group.x * 16u + local.x;
  let rows = row_count(bias_params.rows);
  var sum = 0.0;
  if column < bias_params.columns {
    for (var row = local.y; row < rows; row += 16u) {
      sum += left[row * bias_params.columns + column];
    }
  }
  column_sums[local.y * 16u + local.x] = sum;
  workgroupBarrier();
  if local.y != 0u || column >= bias_params.columns {
    return;
  }
  for (var slice = 1u; slice < 16u; slice++) {
    sum += column_sums[slice * 16u + local.x];
  }
  bias_gradient[column] += sum;
}
