// The bottleneck x + up(f(down(x))): its down product and the gradient of its hidden layer. The up product and the gradient
// of x are shaders/linear.wgsl's, with the residual as addend.
//
// This file: parameters, places and stores. The entry points, one file a shape of product: adapter_naive.wgsl, …
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

fn store_one_hidden(at: u32, a: f32) {
  preactivation[at] = a;
  activated[at] = activate(params.activation, a);
}

fn store_hidden(place: TilePlace, row: u32, column: u32, block: mat4x4f) {
  for (var i = row; i < min(row + 4u, place.rows); i++) {
    for (var j = column; j < min(column + 4u, place.columns); j++) {
      store_one_hidden(i * place.columns + j, block[i - row][j - column] + down_bias[j]);
    }
  }
}

fn down_strides() -> Strides {
  return Strides(params.hidden, 1u, params.hidden, 1u);
}

// --- da = (dz Wu) ⊙ f'(a), and h = f(a) again, [T, m]; dz [T, d], Wu [d, m].

@group(0) @binding(4) var<storage, read> saved_preactivation: array<f32>;
@group(0) @binding(5) var<storage, read_write> preactivation_gradient: array<f32>;

fn store_one_hidden_gradient(at: u32, h_gradient: f32) {
  let a = saved_preactivation[at];
  preactivation_gradient[at] = h_gradient * activate_derivative(params.activation, a);
  activated[at] = activate(params.activation, a);
}

fn store_hidden_gradient(place: TilePlace, row: u32, column: u32, block: mat4x4f) {
  for (var i = row; i < min(row + 4u, place.rows); i++) {
    for (var j = column; j < min(column + 4u, place.columns); j++) {
      store_one_hidden_gradient(i * place.columns + j, block[i - row][j - column]);
    }
  }
}

fn up_strides() -> Strides {
  return Strides(params.hidden, 1u, 1u, params.bottleneck);
}
