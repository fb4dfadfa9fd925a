// right_f32.wgsl's twin: four signed bytes a word, rows filled up to whole words, times their row's scale. In front stands
// `const SCALE_INNER`: 1 where the weight's rows are the inner dimension (dy W), 0 where they are the result's columns.
@group(0) @binding(3) var<storage, read> right: array<u32>;
@group(0) @binding(5) var<storage, read> scales: array<f32>; // one for each row of the weight

fn right1(at: u32) -> f32 {
  return f32(extractBits(i32(right[at / 4u]), at % 4u * 8u, 8u));
}

fn right2(at: u32) -> vec2f {
  let word = i32(right[at / 2u]) << ((1u - at % 2u) * 16u);
  return vec2f(vec2i(word << 8u, word) >> vec2u(24u));
}

fn right4(at: u32) -> vec4f {
  let word = i32(right[at]);
  return vec4f(vec4i(word << 24u, word << 16u, word << 8u, word) >> vec4u(24u));
}

fn inner_scale(k: u32) -> f32 {
  if SCALE_INNER == 1u {
    return scales[k];
  }
  return 1.0;
}

fn column_scale(column: u32) -> f32 {
  if SCALE_INNER == 1u {
    return 1.0;
  }
  return scales[column];
}

// These products have none.
fn addend_at(at: u32) -> f32 {
  return 0.0;
}

fn addend4_at(at: u32) -> vec4f {
  return vec4f();
}
