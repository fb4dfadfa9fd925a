// linear.wgsl's entry points with one element of the result an invocation: lib/product_naive.wgsl. Any sizes.

@compute @workgroup_size(8, 8)
fn linear_product(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y;
  let column = id.x;
  if row >= row_count(params.rows) || column >= params.columns {
    return;
  }
  let at = row * params.columns + column;
  var value = product_naive(row, column, params.inner, product_strides()) * column_scale(column);
  if params.has_bias != 0u {
    value += bias[column];
  }
  if params.has_addend != 0u {
    value += addend_at(at);
  }
  result[at] = value;
}

@compute @workgroup_size(8, 8)
fn linear_weight_gradient(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y;
  let column = id.x;
  if row >= weight_params.outputs || column >= weight_params.inputs {
    return;
  }
  let sum = product_naive(row, column, row_count(weight_params.rows), weight_gradient_strides());
  weight_gradient[row * weight_params.inputs + column] += sum;
}
