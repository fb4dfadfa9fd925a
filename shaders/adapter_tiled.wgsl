// adapter.wgsl's entry points for GPUs: lib/product_split.wgsl. Any sizes.

// [T, m] has few 64×64 tiles, too few for a GPU: the inner dimension d is split as well.
@compute @workgroup_size(256)
fn adapter_down(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let place = adapter_place(group.xy, 16u);
  let block = product_split(place, down_strides(), index);
  if index < 16u {
    store_hidden(place, place.row + (index / 4u) * 4u, place.column + (index % 4u) * 4u, block);
  }
}

@compute @workgroup_size(256)
fn adapter_hidden_gradient(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let place = adapter_place(group.xy, 16u);
  let block = product_split(place, up_strides(), index);
  if index < 16u {
    store_hidden_gradient(place, place.row + (index / 4u) * 4u, place.column + (index % 4u) * 4u, block);
  }
}
