// Matrix products for software drivers: an invocation owns an 8×8 tile of the result and walks the whole inner dimension.
//
// There, a load costs each SIMD lane a branch and a scalar access, some twenty times an fma: the tile is as large as the
// instruction cache allows, the inner dimension goes by twos. What leaves the matrix is read clamped to its edge, and not
// stored.
//
// A tile is four 4×4 blocks: rows 0–3 × columns 0–3, rows 0–3 × columns 4–7, rows 4–7 × columns 0–3, rows 4–7 × columns 4–7.
// Column r of a block holds the four columns of row r.

alias Tile = array<mat4x4f, 4>;

// Tiles are stored in loops over their blocks that no driver unrolls: 64 guarded stores in a row would take a software
// driver seconds to compile.
fn block_row(place: TilePlace, block: u32) -> u32 {
  return place.row + (block / 2u) * 4u;
}

fn block_column(place: TilePlace, block: u32) -> u32 {
  return place.column + (block % 2u) * 4u;
}

// Pair k of four rows: two columns of four.
fn left_pairs(offsets: vec4u, k: u32) -> mat2x4f {
  return pairs_of(left_by_2[offsets.x + k], left_by_2[offsets.y + k], left_by_2[offsets.z + k], left_by_2[offsets.w + k]);
}

fn right_pairs(offsets: vec4u, k: u32) -> mat2x4f {
  return pairs_of(right2(offsets.x + k), right2(offsets.y + k), right2(offsets.z + k), right2(offsets.w + k));
}

// transpose() by hand: it costs a third of the speed on Mesa's driver.
fn pairs_of(p0: vec2f, p1: vec2f, p2: vec2f, p3: vec2f) -> mat2x4f {
  return mat2x4f(vec4f(p0.x, p1.x, p2.x, p3.x), vec4f(p0.y, p1.y, p2.y, p3.y));
}

fn pair_step(block: mat4x4f, a: mat2x4f, b: mat2x4f) -> mat4x4f {
  return block_step(block_step(block, a[0], b[0]), a[1], b[1]);
}

// left [rows, inner] · right [columns, inner]ᵀ; inner a multiple of 4.
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
    tile[0] = pair_step(tile[0], left_top, right_near);
    tile[1] = pair_step(tile[1], left_top, right_far);
    tile[2] = pair_step(tile[2], left_bottom, right_near);
    tile[3] = pair_step(tile[3], left_bottom, right_far);
  }
  return tile;
}

// left [rows, inner] · right [inner, columns]; inner and columns multiples of 4.
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
    let right_near = mat2x4f(scaled_right4(near, 2u * k), scaled_right4(next, 2u * k + 1u));
    let right_far = mat2x4f(scaled_right4(near + step_far, 2u * k), scaled_right4(next + step_far, 2u * k + 1u));
    tile[0] = pair_step(tile[0], left_top, right_near);
    tile[1] = pair_step(tile[1], left_top, right_far);
    tile[2] = pair_step(tile[2], left_bottom, right_near);
    tile[3] = pair_step(tile[3], left_bottom, right_far);
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
    let right_near = scaled_right4(near, k);
    let right_far = scaled_right4(near + step_far, k);
    tile[0] = block_step(tile[0], left_top, right_near);
    tile[1] = block_step(tile[1], left_top, right_far);
    tile[2] = block_step(tile[2], left_bottom, right_near);
    tile[3] = block_step(tile[3], left_bottom, right_far);
    top += left_fours;
    near += right_fours;
  }
  return tile;
}

// Any of the three, any sizes: one 4×4 block.
fn product_strided(place: TilePlace, strides: Strides) -> mat4x4f {
  var rows = line_offsets(place.row, place.rows, strides.row);
  var columns = line_offsets(place.column, place.columns, strides.column);
  var block = mat4x4f();
  for (var k = 0u; k < place.inner; k++) {
    block = block_step(
      block,
      vec4f(left[rows.x], left[rows.y], left[rows.z], left[rows.w]),
      vec4f(right1(columns.x), right1(columns.y), right1(columns.z), right1(columns.w)) * inner_scale(k),
    );
    rows += strides.left_inner;
    columns += strides.right_inner;
  }
  return block;
}
