// One element of the result an invocation: what every other shape is compared with.
fn product_naive(row: u32, column: u32, inner: u32, strides: Strides) -> f32 {
  var left_at = row * strides.row;
  var right_at = column * strides.column;
  var sum = 0.0;
  for (var k = 0u; k < inner; k++) {
    sum = fma(left[left_at], right1(right_at) * inner_scale(k), sum);
    left_at += strides.left_inner;
    right_at += strides.right_inner;
  }
  return sum;
}
