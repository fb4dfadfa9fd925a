// adapter.wgsl's entry points for software drivers with subgroups of 8: lib/product_lanes.wgsl. d and m are multiples of 4.

@compute @workgroup_size(LANES)
fn adapter_down(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let place = lanes_place(group);
  let tile = lanes_nt(place, lane);
  let column = place.column + lane * 4u;
  if column >= place.columns {
    return;
  }
  let shift = vec4f(
    down_bias[column], down_bias[column + 1u], down_bias[column + 2u], down_bias[column + 3u],
  );
  for (var i = 0u; i < min(TILE_ROWS, place.rows - place.row); i++) {
    let at = ((place.row + i) * place.columns + column) / 4u;
    let a = tile[i] + shift;
    preactivation_by_4[at] = a;
    activated_by_4[at] = activate4(a);
  }
}

@compute @workgroup_size(LANES)
fn adapter_hidden_gradient(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let place = lanes_place(group);
  let tile = lanes_nn(place, lane);
  let column = place.column + lane * 4u;
  if column >= place.columns {
    return;
  }
  for (var i = 0u; i < min(TILE_ROWS, place.rows - place.row); i++) {
    let at = ((place.row + i) * place.columns + column) / 4u;
    let a = saved_preactivation_by_4[at];
    preactivation_gradient_by_4[at] = tile[i] * derivative4(a);
    activated_by_4[at] = activate4(a);
  }
}

fn lanes_place(group: vec3u) -> TilePlace {
  return TilePlace(
    group.y * TILE_ROWS, group.x * LANES * 4u, row_count(params.rows), params.bottleneck, params.hidden,
  );
}

@group(0) @binding(5) var<storage, read_write> preactivation_by_4: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> activated_by_4: array<vec4f>;
@group(0) @binding(4) var<storage, read> saved_preactivation_by_4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> preactivation_gradient_by_4: array<vec4f>;

fn activate4(x: vec4f) -> vec4f {
  return vec4f(
    activate(params.activation, x.x), activate(params.activation, x.y),
    activate(params.activation, x.z), activate(params.activation, x.w),
  );
}

fn derivative4(x: vec4f) -> vec4f {
  return vec4f(
    activate_derivative(params.activation, x.x), activate_derivative(params.activation, x.y),
    activate_derivative(params.activation, x.z), activate_derivative(params.activation, x.w),
  );
}
