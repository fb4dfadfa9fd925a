// A small matrix put into a larger one, scaled: source [S, width] is blocks of `height` rows; block i becomes scale times
// columns i width … of band b_i of target, rows b_i height …; all else of target is 0. Forward: an invocation for four
// elements of target. Backward: for four of source. Where sequences have parameters of their own (lib/groups.wgsl) source and
// target hold those of all groups, one behind the other.

struct PlaceBlocksParams {
  height: u32,
  width: u32,
  columns: u32, // of target: blocks × width
  count: u32,   // elements of target, or of source
  band0: u32,   // where the blocks are, of at most three
  band1: u32,
  band2: u32,
  scale: f32,
  each: u32,    // elements of one group's target
}

@group(0) @binding(1) var<uniform> params: PlaceBlocksParams;

fn band_of(block: u32) -> u32 {
  switch block {
    case 0u: { return params.band0; }
    case 1u: { return params.band1; }
    default: { return params.band2; }
  }
}

@group(0) @binding(2) var<storage, read> source: array<f32>;
@group(0) @binding(3) var<storage, read_write> placed: array<f32>;

@compute @workgroup_size(64)
fn place_blocks_forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let begin = (flat_workgroup(group, groups) * 64u + local) * 4u;
  for (var i = begin; i < min(begin + 4u, params.count); i++) {
    let own_source = i / params.each * params.height * params.columns;
    let row = i % params.each / params.columns;
    let column = i % params.columns;
    let block = column / params.width;
    var value = 0.0;
    if row / params.height == band_of(block) {
      value = params.scale
        * source[own_source + (block * params.height + row % params.height) * params.width + column % params.width];
    }
    placed[i] = value;
  }
}

@group(0) @binding(2) var<storage, read> placed_gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> source_gradient: array<f32>;

@compute @workgroup_size(64)
fn place_blocks_backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let begin = (flat_workgroup(group, groups) * 64u + local) * 4u;
  for (var i = begin; i < min(begin + 4u, params.count); i++) {
    let row = i / params.width;
    let block = row / params.height;
    let placed_row = band_of(block) * params.height + row % params.height;
    source_gradient[i] += params.scale
      * placed_gradient[placed_row * params.columns + block * params.width + i % params.width];
  }
}
