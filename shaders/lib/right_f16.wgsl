// right_f32.wgsl's twin: two halves a word, rows filled up to whole words (src/backends/frozen-matrix.ts).
@group(0) @binding(3) var<storage, read> right: array<u32>;
@group(0) @binding(3) var<storage, read> right_by_4: array<vec2u>;

fn right1(at: u32) -> f32 {
  return unpack2x16float(right[at / 2u])[at % 2u];
}

fn right2(at: u32) -> vec2f {
  return unpack2x16float(right[at]);
}

fn right4(at: u32) -> vec4f {
  let words = right_by_4[at];
  return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}

fn inner_scale(k: u32) -> f32 {
  return 1.0;
}

fn column_scale(column: u32) -> f32 {
  return 1.0;
}

// These products have none.
fn addend_at(at: u32) -> f32 {
  return 0.0;
}

fn addend4_at(at: u32) -> vec4f {
  return vec4f();
}
