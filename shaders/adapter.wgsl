// The bottleneck x + up(f(down(x))): its down product and the gradient of its hidden layer. The up product and the gradient
// of x are shaders/linear.wgsl's, with the residual as addend.
//
// Both kernels write h = f(a) beside what they are for: f in the loads of the product that follows would be computed anew
// for every tile of its d columns. a is kept for the backward pass, h is not.

struct AdapterParams {
  rows: u32,       // row code
  hidden: u32,     // d
  bottleneck: u32, // m
  activation: u32, // lib/activation.wgsl
}

@group(0) @binding(1) var<uniform> params: AdapterParams;

fn adapter_place(tile: vec2u, size: u32) -> TilePlace {
  return TilePlace(tile.y * size, tile.x * size, row_count(params.rows), params.bottleneck, params.hidden);
}

// --- a = x Wdᵀ + bd and h = f(a), [T, m]; x [T, d], Wd [m, d].

@group(0) @binding(4) var<storage, read> down_bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> preactivation: array<f32>;
@group(0) @binding(6) var<storage, read_write> activated: array<f32>;

fn store_hidden(place: TilePlace, row: u32, column: u32, block: mat4x4f) {
  for (var i = row; i < min(row + 4u, place.rows); i++) {
    for (var j = column; j < min(column + 4u, place.columns); j++) {
      let at = i * place.columns + j;
      let a = block[i - row][j - column] + down_bias[j];
      preactivation[at] = a;
      activated[at] = activate(params.activation, a);
    }
  }
}

fn down_strides() -> Strides {
  return Strides(params.hidden, 1u, params.hidden, 1u);
}

@compute @workgroup_size(2, 16)
fn adapter_down(@builtin(global_invocation_id) id: vec3u) {
  let place = adapter_place(id.xy, 8u);
  if place.row >= place.rows || place.column >= place.columns {
    return;
  }
  let tile = product_nt(place);
  for (var block = 0u; block < 4u; block++) {
    store_hidden(place, block_row(place, block), block_column(place, block), tile[block]);
  }
}

@compute @workgroup_size(8, 4)
fn adapter_down_strided(@builtin(global_invocation_id) id: vec3u) {
  let place = adapter_place(id.xy, 4u);
  if place.row >= place.rows || place.column >= place.columns {
    return;
  }
  store_hidden(place, place.row, place.column, product_strided(place, down_strides()));
}

// [T, m] has few 64×64 tiles, too few for a GPU: the inner dimension d is split as well.
@compute @workgroup_size(256)
fn adapter_down_tiled(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let place = adapter_place(group.xy, 16u);
  let block = product_split(place, down_strides(), index);
  if index < 16u {
    store_hidden(place, place.row + (index / 4u) * 4u, place.column + (index % 4u) * 4u, block);
  }
}

// --- da = (dz Wu) ⊙ f'(a), and h = f(a) again, [T, m]; dz [T, d], Wu [d, m].

@group(0) @binding(4) var<storage, read> saved_preactivation: array<f32>;
@group(0) @binding(5) var<storage, read_write> preactivation_gradient: array<f32>;

fn store_hidden_gradient(place: TilePlace, row: u32, column: u32, block: mat4x4f) {
  for (var i = row; i < min(row + 4u, place.rows); i++) {
    for (var j = column; j < min(column + 4u, place.columns); j++) {
      let at = i * place.columns + j;
      let a = saved_preactivation[at];
      preactivation_gradient[at] = block[i - row][j - column] * activate_derivative(params.activation, a);
      activated[at] = activate(params.activation, a);
    }
  }
}

fn up_strides() -> Strides {
  return Strides(params.hidden, 1u, 1u, params.bottleneck);
}

@compute @workgroup_size(8, 4)
fn adapter_hidden_gradient(@builtin(global_invocation_id) id: vec3u) {
  let place = adapter_place(id.xy, 8u);
  if place.row >= place.rows || place.column >= place.columns {
    return;
  }
  let tile = product_nn(place);
  for (var block = 0u; block < 4u; block++) {
    store_hidden_gradient(place, block_row(place, block), block_column(place, block), tile[block]);
  }
}

@compute @workgroup_size(8, 4)
fn adapter_hidden_gradient_strided(@builtin(global_invocation_id) id: vec3u) {
  let place = adapter_place(id.xy, 4u);
  if place.row >= place.rows || place.column >= place.columns {
    return;
  }
  store_hidden_gradient(place, place.row, place.column, product_strided(place, up_strides()));
}

@compute @workgroup_size(256)
fn adapter_hidden_gradient_tiled(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let place = adapter_place(group.xy, 16u);
  let block = product_split(place, up_strides(), index);
  if index < 16u {
    store_hidden_gradient(place, place.row + (index / 4u) * 4u, place.column + (index % 4u) * 4u, block);
  }
}
