// linear.wgsl's entry points for GPUs with registers to spare: lib/product_wide.wgsl. Sizes are multiples of 4.

fn store_wide(place: TilePlace, local: vec3u, tile: WideTile) {
  for (var j = 0u; j < 2u; j++) {
    let column = place.column + local.x * 4u + 32u * j;
    if column >= place.columns {
      return;
    }
    let finish = finish_of(column);
    for (var i = 0u; i < 8u; i++) {
      let row = place.row + local.y + 8u * i;
      if row < place.rows {
        store_row(place, row, column, tile[i][j], finish);
      }
    }
  }
}

@compute @workgroup_size(8, 8)
fn linear_forward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let place = product_place(group.xy, 64u, 64u);
  store_wide(place, local, wide_nt(place, local));
}

@compute @workgroup_size(8, 8)
fn linear_input_gradient(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let place = product_place(group.xy, 64u, 64u);
  store_wide(place, local, wide_nn(place, local));
}
