// Matrix products for GPUs with large caches: an invocation owns a 4×4 block in registers and reads both operands as fours
// straight from storage, four inner indices at a time, unrolled by hand. No workgroup memory, no barrier.

// left [rows, inner] · right [columns, inner]ᵀ; inner and columns multiples of 4. Column r of the block holds row r.
fn blocked_nt(place: TilePlace) -> mat4x4f {
  let fours = place.inner / 4u;
  var rows = line_offsets(place.row, place.rows, fours);
  var columns = line_offsets(place.column, place.columns, fours);
  var block = mat4x4f();
  for (var k = 0u; k < fours; k++) {
    block = rows_step(block, rows + k, right_columns(columns + k));
  }
  return block;
}

// left [rows, inner] · right [inner, columns]; inner and columns multiples of 4.
fn blocked_nn(place: TilePlace) -> mat4x4f {
  let left_fours = place.inner / 4u;
  let fours = place.columns / 4u;
  var rows = line_offsets(place.row, place.rows, left_fours);
  var column = min(place.column / 4u, fours - 1u);
  var block = mat4x4f();
  for (var k = 0u; k < left_fours; k++) {
    block = rows_step(block, rows + k, right_rows(column, fours, k * 4u));
    column += 4u * fours;
  }
  return block;
}

fn rows_step(block: mat4x4f, rows: vec4u, b: mat4x4f) -> mat4x4f {
  return mat4x4f(
    row_step(block[0], left_by_4[rows.x], b),
    row_step(block[1], left_by_4[rows.y], b),
    row_step(block[2], left_by_4[rows.z], b),
    row_step(block[3], left_by_4[rows.w], b),
  );
}
