// Matrix products for software drivers: an invocation owns an 8×8 tile of the result and walks the whole inner dimension.
//
// There, a load costs each SIMD lane a branch and a scalar access, some twenty times an fma: the tile is as large as the
// instruction cache allows, the inner dimension goes by twos. The including shader's entry points read `left` and `right`
// through the view that fits. What leaves the matrix is read clamped to its edge, and not stored.
//
// A tile is four 4×4 blocks: rows 0–3 × columns 0–3, rows 0–3 × columns 4–7, rows 4–7 × columns 0–3, rows 4–7 × columns 4–7.
// Column r of a block holds the four columns of row r.

alias Tile = array<mat4x4f, 4>;

struct TilePlace {
  row: u32,    // of the tile's first element
  column: u32,
  rows: u32,   // of the result
  columns: u32,
  inner: u32,
}

// Tiles are stored in loops over their blocks that no driver unrolls: 64 guarded stores in a row would take a software
// driver seconds to compile.
fn block_row(place: TilePlace, block: u32) -> u32 {
  return place.row + (block / 2u) * 4u;
}

fn block_column(place: TilePlace, block: u32) -> u32 {
  return place.column + (block % 2u) * 4u;
}

@group(0) @binding(2) var<storage, read> left: array<f32>;
@group(0) @binding(2) var<storage, read> left_by_2: array<vec2f>;
@group(0) @binding(2) var<storage, read> left_by_4: array<vec4f>;
@group(0) @binding(3) var<storage, read> right: array<f32>;
@group(0) @binding(3) var<storage, read> right_by_2: array<vec2f>;
@group(0) @binding(3) var<storage, read> right_by_4: array<vec4f>;

// Offsets of four consecutive lines from `first`, each `stride` long.
fn line_offsets(first: u32, count: u32, stride: u32) -> vec4u {
  return min(vec4u(first) + vec4u(0u, 1u, 2u, 3u), vec4u(count - 1u)) * stride;
}

// Pair k of four rows, a column each.
fn left_pairs(offsets: vec4u, k: u32) -> mat4x2f {
  return mat4x2f(left_by_2[offsets.x + k], left_by_2[offsets.y + k], left_by_2[offsets.z + k], left_by_2[offsets.w + k]);
}

// Pair k of four columns, transposed: by hand, because transpose() costs a third of the speed on Mesa's driver.
fn right_pairs(offsets: vec4u, k: u32) -> mat2x4f {
  let c0 = right_by_2[offsets.x + k];
  let c1 = right_by_2[offsets.y + k];
  let c2 = right_by_2[offsets.z + k];
  let c3 = right_by_2[offsets.w + k];
  return mat2x4f(vec4f(c0.x, c1.x, c2.x, c3.x), vec4f(c0.y, c1.y, c2.y, c3.y));
}

// left [rows, inner] · right [columns, inner]ᵀ; inner even.
fn product_nt(place: TilePlace) -> Tile {
  let pairs = place.inner / 2u;
  let top = line_offsets(place.row, place.rows, pairs);
  let bottom = line_offsets(place.row + 4u, place.rows, pairs);
  let near = line_offsets(place.column, place.columns, pairs);
  let far = line_offsets(place.column + 4u, place.columns, pairs);
  var tile = Tile();
  for (var k = 0u; k < pairs; k++) {
    let left_top = left_pairs(top, k);
    let left_bottom = left_pairs(bottom, k);
    let right_near = right_pairs(near, k);
    let right_far = right_pairs(far, k);
    tile[0] += right_near * left_top;
    tile[1] += right_far * left_top;
    tile[2] += right_near * left_bottom;
    tile[3] += right_far * left_bottom;
  }
  return tile;
}

// left [rows, inner] · right [inner, columns]; inner even, columns a multiple of 4.
fn product_nn(place: TilePlace) -> Tile {
  let pairs = place.inner / 2u;
  let top = line_offsets(place.row, place.rows, pairs);
  let bottom = line_offsets(place.row + 4u, place.rows, pairs);
  let fours = place.columns / 4u;
  var near = place.column / 4u;
  let step_far = min(near + 1u, fours - 1u) - near;
  var tile = Tile();
  for (var k = 0u; k < pairs; k++) {
    let left_top = left_pairs(top, k);
    let left_bottom = left_pairs(bottom, k);
    let next = near + fours;
    let right_near = mat2x4f(right_by_4[near], right_by_4[next]);
    let right_far = mat2x4f(right_by_4[near + step_far], right_by_4[next + step_far]);
    tile[0] += right_near * left_top;
    tile[1] += right_far * left_top;
    tile[2] += right_near * left_bottom;
    tile[3] += right_far * left_bottom;
    near = next + fours;
  }
  return tile;
}

// left [inner, rows]ᵀ · right [inner, columns]; rows and columns multiples of 4.
fn product_tn(place: TilePlace) -> Tile {
  let left_fours = place.rows / 4u;
  let right_fours = place.columns / 4u;
  var top = place.row / 4u;
  var near = place.column / 4u;
  let step_bottom = min(top + 1u, left_fours - 1u) - top;
  let step_far = min(near + 1u, right_fours - 1u) - near;
  var tile = Tile();
  for (var k = 0u; k < place.inner; k++) {
    let left_top = left_by_4[top];
    let left_bottom = left_by_4[top + step_bottom];
    let right_near = right_by_4[near];
    let right_far = right_by_4[near + step_far];
    tile[0] += outer(right_near, left_top);
    tile[1] += outer(right_far, left_top);
    tile[2] += outer(right_near, left_bottom);
    tile[3] += outer(right_far, left_bottom);
    top += left_fours;
    near += right_fours;
  }
  return tile;
}

// Column r is the row vector b scaled by a[r].
fn outer(b: vec4f, a: vec4f) -> mat4x4f {
  return mat4x4f(b * a.x, b * a.y, b * a.z, b * a.w);
}

struct Strides {
  row: u32, // of left, between rows of the result
  left_inner: u32,
  column: u32, // of right, between columns of the result
  right_inner: u32,
}

// Any of the three, any sizes: one 4×4 block.
fn product_strided(place: TilePlace, strides: Strides) -> mat4x4f {
  var rows = line_offsets(place.row, place.rows, strides.row);
  var columns = line_offsets(place.column, place.columns, strides.column);
  var block = mat4x4f();
  for (var k = 0u; k < place.inner; k++) {
    block += outer(
      vec4f(right[columns.x], right[columns.y], right[columns.z], right[columns.w]),
      vec4f(left[rows.x], left[rows.y], left[rows.z], left[rows.w]),
    );
    rows += strides.left_inner;
    columns += strides.right_inner;
  }
  return block;
}
