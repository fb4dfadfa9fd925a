// Matrix products for real GPUs: a workgroup of 16×16 invocations owns 64×64 of the result, each invocation a 4×4 block in
// registers; slices of 16 of both operands pass through workgroup memory. Any sizes: rows and columns that leave an operand
// are read clamped to its edge and not stored, inner indices that leave it read as zero.
// One kernel for all three products: which of an operand's dimensions is contiguous is in its strides.

const SLICE = 16u;
// One more than the 16 groups of four: successive slices of a group then fall into different banks.
const TILE_PITCH = 17u;

// Four rows of left, four columns of right, at each inner index: [SLICE, 16 groups of 4]. 8.5 KiB together.
var<workgroup> left_tile: array<vec4f, SLICE * TILE_PITCH>;
var<workgroup> right_tile: array<vec4f, SLICE * TILE_PITCH>;

// `place.row` and `place.column`: of the workgroup's tile. Returns the invocation's block: column r holds its row r.
fn product_tiled(place: TilePlace, strides: Strides, local: vec3u) -> mat4x4f {
  let index = local.y * 16u + local.x;
  // Neighbouring invocations read neighbouring memory, whichever way an operand lies: (inner index, group) of each.
  let across = vec2u(index % SLICE, index / SLICE);
  let left_part = select(across.yx, across, strides.left_inner == 1u);
  let right_part = select(across.yx, across, strides.right_inner == 1u);
  let left_group = place.row + left_part.y * 4u;
  let right_group = place.column + right_part.y * 4u;
  var row0 = vec4f();
  var row1 = vec4f();
  var row2 = vec4f();
  var row3 = vec4f();
  for (var slice = 0u; slice < place.inner; slice += SLICE) {
    left_tile[left_part.x * TILE_PITCH + left_part.y] =
      left_group_at(left_group, slice + left_part.x, place, strides);
    right_tile[right_part.x * TILE_PITCH + right_part.y] =
      right_group_at(right_group, slice + right_part.x, place, strides);
    workgroupBarrier();
    for (var k = 0u; k < SLICE; k++) {
      let a = left_tile[k * TILE_PITCH + local.y];
      let b = right_tile[k * TILE_PITCH + local.x];
      row0 = fma(vec4f(a.x), b, row0);
      row1 = fma(vec4f(a.y), b, row1);
      row2 = fma(vec4f(a.z), b, row2);
      row3 = fma(vec4f(a.w), b, row3);
    }
    workgroupBarrier();
  }
  return mat4x4f(row0, row1, row2, row3);
}

fn left_group_at(row: u32, k: u32, place: TilePlace, strides: Strides) -> vec4f {
  if k >= place.inner {
    return vec4f();
  }
  let at = line_offsets(row, place.rows, strides.row) + k * strides.left_inner;
  return vec4f(left[at.x], left[at.y], left[at.z], left[at.w]);
}

fn right_group_at(column: u32, k: u32, place: TilePlace, strides: Strides) -> vec4f {
  if k >= place.inner {
    return vec4f();
  }
  let at = line_offsets(column, place.columns, strides.column) + k * strides.right_inner;
  return vec4f(right1(at.x), right1(at.y), right1(at.z), right1(at.w)) * inner_scale(k);
}
