// Narrow results of long reductions (weight gradients: [m, d] over T tokens): a workgroup owns 16×16, its invocations are
// 16 slices of the inner dimension, each of 4×4 blocks; a tree over workgroup memory sums the slices, always in the same
// order, though another than the other shapes' of product. 8 KiB.
var<workgroup> partial_blocks: array<mat4x4f, 128>;

// The block is whole in the invocations of slice 0 (`index` below 16); block (index / 4, index % 4) of the tile.
fn product_split(place: TilePlace, strides: Strides, index: u32) -> mat4x4f {
  let lane = index % 16u;
  let slice = index / 16u;
  let rows = line_offsets(place.row + (lane / 4u) * 4u, place.rows, strides.row);
  let columns = line_offsets(place.column + (lane % 4u) * 4u, place.columns, strides.column);
  var block = mat4x4f();
  for (var k = slice; k < place.inner; k += 16u) {
    let left_at = rows + k * strides.left_inner;
    let right_at = columns + k * strides.right_inner;
    block = block_step(
      block,
      vec4f(left[left_at.x], left[left_at.y], left[left_at.z], left[left_at.w]),
      vec4f(right1(right_at.x), right1(right_at.y), right1(right_at.z), right1(right_at.w)) * inner_scale(k),
    );
  }
  for (var reach = 8u; reach > 0u; reach /= 2u) {
    if slice >= reach && slice < 2u * reach {
      partial_blocks[index - reach * 16u] = block;
    }
    workgroupBarrier();
    if slice < reach {
      block += partial_blocks[index];
    }
    workgroupBarrier();
  }
  return block;
}
