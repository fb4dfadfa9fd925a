// Matrix products for GPUs: a workgroup of 8×8 invocations owns 64×64 of the result, each invocation 8×8 in registers; slices
// of 16 inner indices of both operands pass through workgroup memory as fours. Twice the arithmetic of product_tiled.wgsl for
// each number read from workgroup memory, for four times the registers.
//
// An invocation's rows are row + local.y + 8 i. Its columns are fours: column + 4 local.x … + 3, and the same 32 further.

const WIDE_FOURS = 4u; // of a slice
// One more than the fours: lines then begin in different banks.
const WIDE_PITCH = 5u;

var<workgroup> wide_left: array<vec4f, 64u * WIDE_PITCH>;  // [row][four of inner indices], 5 KiB
var<workgroup> wide_right: array<vec4f, 64u * WIDE_PITCH>; // nt: [column][four of inner indices]; nn: [inner index][four of columns]

alias WideTile = array<mat2x4f, 8>; // [row][four of columns]

// Lines `first` … + 63 of a matrix [lines, fours], `slice` the first four of the slice. Neighbouring invocations read
// neighbouring memory. What leaves the matrix is read clamped to its edge, and not used.
fn wide_load_left(first: u32, lines: u32, fours: u32, slice: u32, index: u32) {
  let four = index % WIDE_FOURS;
  for (var line = index / WIDE_FOURS; line < 64u; line += 16u) {
    let at = min(first + line, lines - 1u) * fours + min(slice + four, fours - 1u);
    wide_left[line * WIDE_PITCH + four] = left_by_4[at];
  }
}

fn wide_load_columns(first: u32, lines: u32, fours: u32, slice: u32, index: u32) {
  let four = index % WIDE_FOURS;
  for (var line = index / WIDE_FOURS; line < 64u; line += 16u) {
    let at = min(first + line, lines - 1u) * fours + min(slice + four, fours - 1u);
    wide_right[line * WIDE_PITCH + four] = right4(at);
  }
}

// Rows 4 slice … + 15 of right [inner, fours], its fours first … + 15.
fn wide_load_rows(first: u32, inner: u32, fours: u32, slice: u32, index: u32) {
  let four = index % 16u;
  for (var line = index / 16u; line < 16u; line += 4u) {
    let k = min(slice * 4u + line, inner - 1u);
    wide_right[line * 16u + four] = scaled_right4(k * fours + min(first + four, fours - 1u), k);
  }
}

fn wide_step(tile: WideTile, four: u32, local_row: u32, near: mat4x4f, far: mat4x4f) -> WideTile {
  var next = tile;
  for (var i = 0u; i < 8u; i++) {
    let x = wide_left[(local_row + 8u * i) * WIDE_PITCH + four];
    next[i] = mat2x4f(row_step(next[i][0], x, near), row_step(next[i][1], x, far));
  }
  return next;
}

// Four columns as wide_right holds them for nt, at one four of inner indices.
fn wide_columns(column: u32, four: u32) -> mat4x4f {
  let at = column * WIDE_PITCH + four;
  let c0 = wide_right[at];
  let c1 = wide_right[at + WIDE_PITCH];
  let c2 = wide_right[at + 2u * WIDE_PITCH];
  let c3 = wide_right[at + 3u * WIDE_PITCH];
  return mat4x4f(
    vec4f(c0.x, c1.x, c2.x, c3.x),
    vec4f(c0.y, c1.y, c2.y, c3.y),
    vec4f(c0.z, c1.z, c2.z, c3.z),
    vec4f(c0.w, c1.w, c2.w, c3.w),
  );
}

// left [rows, inner] · right [columns, inner]ᵀ; inner and columns multiples of 4.
fn wide_nt(place: TilePlace, local: vec3u) -> WideTile {
  let index = local.y * 8u + local.x;
  let fours = place.inner / 4u;
  var tile = WideTile();
  for (var slice = 0u; slice < fours; slice += WIDE_FOURS) {
    wide_load_left(place.row, place.rows, fours, slice, index);
    wide_load_columns(place.column, place.columns, fours, slice, index);
    workgroupBarrier();
    for (var four = 0u; four < min(WIDE_FOURS, fours - slice); four++) {
      let near = wide_columns(local.x * 4u, four);
      let far = wide_columns(local.x * 4u + 32u, four);
      tile = wide_step(tile, four, local.y, near, far);
    }
    workgroupBarrier();
  }
  return tile;
}

// left [rows, inner] · right [inner, columns]; inner and columns multiples of 4.
fn wide_nn(place: TilePlace, local: vec3u) -> WideTile {
  let index = local.y * 8u + local.x;
  let left_fours = place.inner / 4u;
  let fours = place.columns / 4u;
  var tile = WideTile();
  for (var slice = 0u; slice < left_fours; slice += WIDE_FOURS) {
    wide_load_left(place.row, place.rows, left_fours, slice, index);
    wide_load_rows(place.column / 4u, place.inner, fours, slice, index);
    workgroupBarrier();
    for (var four = 0u; four < min(WIDE_FOURS, left_fours - slice); four++) {
      let at = four * 64u + local.x;
      let near = mat4x4f(wide_right[at], wide_right[at + 16u], wide_right[at + 32u], wide_right[at + 48u]);
      let far = mat4x4f(wide_right[at + 8u], wide_right[at + 24u], wide_right[at + 40u], wide_right[at + 56u]);
      tile = wide_step(tile, four, local.y, near, far);
    }
    workgroupBarrier();
  }
  return tile;
}
