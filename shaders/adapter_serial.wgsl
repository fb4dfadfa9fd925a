// adapter.wgsl's entry points for software drivers: lib/product_serial.wgsl.

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
