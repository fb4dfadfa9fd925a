// adapter.wgsl's entry points with one element of the result an invocation: lib/product_naive.wgsl. Any sizes.

@compute @workgroup_size(8, 8)
fn adapter_down(@builtin(global_invocation_id) id: vec3u) {
  let place = adapter_place(id.xy, 1u);
  if place.row >= place.rows || place.column >= place.columns {
    return;
  }
  let sum = product_naive(place.row, place.column, place.inner, down_strides());
  store_one_hidden(place.row * place.columns + place.column, sum + down_bias[place.column]);
}

@compute @workgroup_size(8, 8)
fn adapter_hidden_gradient(@builtin(global_invocation_id) id: vec3u) {
  let place = adapter_place(id.xy, 1u);
  if place.row >= place.rows || place.column >= place.columns {
    return;
  }
  let sum = product_naive(place.row, place.column, place.inner, up_strides());
  store_one_hidden_gradient(place.row * place.columns + place.column, sum);
}
