// output = 0 over [rows, columns]. The scheduler's own: for sums that kernels add to.

struct ZeroParams {
  rows: u32,    // row code
  columns: u32,
}

@group(0) @binding(1) var<uniform> params: ZeroParams;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn zero(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let count = row_count(params.rows) * params.columns;
  let begin = (flat_workgroup(group, groups) * 64u + local) * 4u;
  for (var i = begin; i < min(begin + 4u, count); i++) {
    output[i] = 0.0;
  }
}
