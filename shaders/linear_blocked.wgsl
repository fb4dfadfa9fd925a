// linear.wgsl's entry points for GPUs, without workgroup memory: lib/product_blocked.wgsl. Sizes are multiples of 4.

fn store_four_rows(place: TilePlace, block: mat4x4f) {
  let finish = finish_of(place.column);
  for (var i = 0u; i < min(4u, place.rows - place.row); i++) {
    store_row(place, place.row + i, place.column, block[i], finish);
  }
}

@compute @workgroup_size(8, 8)
fn linear_forward(@builtin(global_invocation_id) id: vec3u) {
  let place = product_place(id.xy, 4u, 4u);
  if place.row < place.rows && place.column < place.columns {
    store_four_rows(place, blocked_nt(place));
  }
}

@compute @workgroup_size(8, 8)
fn linear_input_gradient(@builtin(global_invocation_id) id: vec3u) {
  let place = product_place(id.xy, 4u, 4u);
  if place.row < place.rows && place.column < place.columns {
    store_four_rows(place, blocked_nn(place));
  }
}
