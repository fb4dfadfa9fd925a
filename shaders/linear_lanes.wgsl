// linear.wgsl's entry points for software drivers with subgroups of 8: lib/product_lanes.wgsl. Sizes are multiples of 4.

fn store_rows(place: TilePlace, lane: u32, tile: Rows) {
  let column = place.column + lane * 4u;
  if column >= place.columns {
    return;
  }
  let finish = finish_of(column);
  for (var i = 0u; i < min(TILE_ROWS, place.rows - place.row); i++) {
    store_row(place, place.row + i, column, tile[i], finish);
  }
}

@compute @workgroup_size(LANES)
fn linear_forward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let place = product_place(group.xy, TILE_ROWS, LANES * 4u);
  store_rows(place, lane, lanes_nt(place, lane));
}

@compute @workgroup_size(LANES)
fn linear_input_gradient(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let place = product_place(group.xy, TILE_ROWS, LANES * 4u);
  store_rows(place, lane, lanes_nn(place, lane));
}

@group(0) @binding(4) var<storage, read_write> weight_gradient_by_4: array<vec4f>;

@compute @workgroup_size(LANES)
fn linear_weight_gradient(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let place = TilePlace(
    group.y * SPAN_ROWS, group.x * LANES * 4u,
    weight_params.outputs, weight_params.inputs, row_count(weight_params.rows),
  );
  let tile = lanes_tn(place, lane);
  let column = place.column + lane * 4u;
  if column >= place.columns {
    return;
  }
  for (var i = 0u; i < min(SPAN_ROWS, place.rows - place.row); i++) {
    weight_gradient_by_4[((place.row + i) * place.columns + column) / 4u] += tile[i];
  }
}
