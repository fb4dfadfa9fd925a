// linear.wgsl's entry points for GPUs: lib/product_tiled.wgsl, lib/product_split.wgsl. Any sizes.

@compute @workgroup_size(16, 16)
fn linear_product(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let place = product_place(group.xy, 64u, 64u);
  let block = product_tiled(place, product_strides(), local);
  store_block(place, place.row + local.y * 4u, place.column + local.x * 4u, block);
}

@compute @workgroup_size(256)
fn linear_weight_gradient(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let place = weight_gradient_place(group.xy, 16u);
  let block = product_split(place, weight_gradient_strides(), index);
  if index < 16u {
    accumulate_block(place, place.row + (index / 4u) * 4u, place.column + (index % 4u) * 4u, block);
  }
}

// 16 columns × 16 slices of the rows; slice 0 sums the slices in order.
var<workgroup> column_sums: array<f32, 256>;

@compute @workgroup_size(16, 16)
fn linear_bias_gradient(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
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
