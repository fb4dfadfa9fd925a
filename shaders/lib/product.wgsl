// What the shapes of matrix product share: the operands, the place of a tile in the result, one step along the inner
// dimension. `right` and its elements: right_f32.wgsl, right_f16.wgsl or right_int8.wgsl.
//
// Every shape sums an element of the result in one accumulator, inner index ascending, by fma: on a device where fma rounds
// once all of them give the same bits. (product_split.wgsl is the exception.)

@group(0) @binding(2) var<storage, read> left: array<f32>;
@group(0) @binding(2) var<storage, read> left_by_2: array<vec2f>;
@group(0) @binding(2) var<storage, read> left_by_4: array<vec4f>;

struct TilePlace {
  row: u32,    // of the tile's first element
  column: u32,
  rows: u32,   // of the result
  columns: u32,
  inner: u32,
}

struct Strides {
  row: u32, // of left, between rows of the result
  left_inner: u32,
  column: u32, // of right, between columns of the result
  right_inner: u32,
}

// Offsets of four consecutive lines from `first`, each `stride` long; past the last line that one again.
fn line_offsets(first: u32, count: u32, stride: u32) -> vec4u {
  return min(vec4u(first) + vec4u(0u, 1u, 2u, 3u), vec4u(count - 1u)) * stride;
}

// Four columns of one row of the result, advanced by four inner indices: x along them, b[i] the columns at the i-th.
fn row_step(sum: vec4f, x: vec4f, b: mat4x4f) -> vec4f {
  return fma(vec4f(x.w), b[3], fma(vec4f(x.z), b[2], fma(vec4f(x.y), b[1], fma(vec4f(x.x), b[0], sum))));
}

// A 4×4 block (column r holds row r) advanced by one inner index: a along the rows, b along the columns.
fn block_step(block: mat4x4f, a: vec4f, b: vec4f) -> mat4x4f {
  return mat4x4f(
    fma(vec4f(a.x), b, block[0]),
    fma(vec4f(a.y), b, block[1]),
    fma(vec4f(a.z), b, block[2]),
    fma(vec4f(a.w), b, block[3]),
  );
}

// Elements `place` … of right at inner index k, times the factor that they have there.
fn scaled_right4(at: u32, k: u32) -> vec4f {
  return right4(at) * inner_scale(k);
}

// Four columns (rows of right [columns, inner], `at` their fours at k) at four inner indices: transposed by hand, because
// transpose() costs a third of the speed on Mesa's driver.
fn right_columns(at: vec4u) -> mat4x4f {
  let c0 = right4(at.x);
  let c1 = right4(at.y);
  let c2 = right4(at.z);
  let c3 = right4(at.w);
  return mat4x4f(
    vec4f(c0.x, c1.x, c2.x, c3.x),
    vec4f(c0.y, c1.y, c2.y, c3.y),
    vec4f(c0.z, c1.z, c2.z, c3.z),
    vec4f(c0.w, c1.w, c2.w, c3.w),
  );
}

// Four columns of right [inner, columns] at inner indices k … k + 3; `at` the four at k, `fours` those of a row.
fn right_rows(at: u32, fours: u32, k: u32) -> mat4x4f {
  return mat4x4f(
    scaled_right4(at, k),
    scaled_right4(at + fours, k + 1u),
    scaled_right4(at + 2u * fours, k + 2u),
    scaled_right4(at + 3u * fours, k + 3u),
  );
}
