// sum = a + b, elementwise over [rows, columns]. The scheduler's own: joins the gradients of a tensor with two readers.

struct AddParams {
  rows: u32,    // row code
  columns: u32,
}

@group(0) @binding(1) var<uniform> params: AddParams;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> sum: array<f32>;

@compute @workgroup_size(64)
fn add(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let count = row_count(params.rows) * params.columns;
  let begin = (flat_workgroup(group, groups) * 64u + local) * 4u;
  for (var i = begin; i < min(begin + 4u, count); i++) {
    sum[i] = a[i] + b[i];
  }
}
