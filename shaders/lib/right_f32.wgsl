// The right operand of a product in f32; its twins in fewer bytes: right_f16.wgsl, right_int8.wgsl. The numbers in the names
// are the elements read at once, `at` counts in them.
@group(0) @binding(3) var<storage, read> right: array<f32>;
@group(0) @binding(3) var<storage, read> right_by_2: array<vec2f>;
@group(0) @binding(3) var<storage, read> right_by_4: array<vec4f>;

fn right1(at: u32) -> f32 {
  return right[at];
}

fn right2(at: u32) -> vec2f {
  return right_by_2[at];
}

fn right4(at: u32) -> vec4f {
  return right_by_4[at];
}

// What an element is to be multiplied by, where its row of the weight is the inner index, or a column of the result.
fn inner_scale(k: u32) -> f32 {
  return 1.0;
}

fn column_scale(column: u32) -> f32 {
  return 1.0;
}

@group(0) @binding(5) var<storage, read> addend: array<f32>;
@group(0) @binding(5) var<storage, read> addend_by_4: array<vec4f>;

fn addend_at(at: u32) -> f32 {
  return addend[at];
}

fn addend4_at(at: u32) -> vec4f {
  return addend_by_4[at];
}
