// linear.wgsl's entry points for software drivers: lib/product_serial.wgsl.

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
