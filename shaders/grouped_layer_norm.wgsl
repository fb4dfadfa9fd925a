// layer_norm.wgsl's forward pass with γ and β [G, columns], of which a row reads those of its group. Inference alone.

@compute @workgroup_size(32)
fn grouped_layer_norm_forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = flat_workgroup(group, groups) * 32u + local;
  if row >= row_count(params.rows) {
    return;
  }
  let begin = row * row_elements();
  let own = group_of(row, params.rows) * row_elements();
  let m = moments_serial(begin);
  for (var c = 0u; c < row_elements(); c++) {
    output[begin + c] = (row_value(begin + c) - m.mean) * m.inverse_deviation * gamma[own + c] + beta[own + c];
  }
}

@compute @workgroup_size(64)
fn grouped_layer_norm_forward_tiled(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = flat_workgroup(group, groups);
  if row >= row_count(params.rows) {
    return;
  }
  let begin = row * row_elements();
  let own = group_of(row, params.rows) * row_elements();
  let m = moments_tiled(begin, local);
  for (var c = local; c < row_elements(); c += 64u) {
    output[begin + c] = (row_value(begin + c) - m.mean) * m.inverse_deviation * gamma[own + c] + beta[own + c];
  }
}
