// Reductions over a workgroup of 64, for the tiled kernels. Every invocation gets the result.
// Two barriers each: 64 values to 8, then all read the 8. They may follow each other without a barrier between: the second
// call writes `values` after everyone left the first barrier section, and `groups` after everyone read the old ones.

var<workgroup> reduce_values: array<vec2f, 64>;
var<workgroup> reduce_groups: array<vec2f, 8>;

// Sums of two quantities at once, since a barrier costs the same for two.
fn reduce_sum(local: u32, value: vec2f) -> vec2f {
  reduce_values[local] = value;
  workgroupBarrier();
  if local < 8u {
    var sum = vec2f();
    for (var i = local; i < 64u; i += 8u) {
      sum += reduce_values[i];
    }
    reduce_groups[local] = sum;
  }
  workgroupBarrier();
  var total = vec2f();
  for (var i = 0u; i < 8u; i++) {
    total += reduce_groups[i];
  }
  return total;
}

fn reduce_max(local: u32, value: f32) -> f32 {
  reduce_values[local] = vec2f(value);
  workgroupBarrier();
  if local < 8u {
    var largest = value;
    for (var i = local; i < 64u; i += 8u) {
      largest = max(largest, reduce_values[i].x);
    }
    reduce_groups[local] = vec2f(largest);
  }
  workgroupBarrier();
  var largest = reduce_groups[0].x;
  for (var i = 1u; i < 8u; i++) {
    largest = max(largest, reduce_groups[i].x);
  }
  return largest;
}
