// What a row is read and written in: four numbers at once, for columns that are a multiple of 4. A software driver pays per
// access, not per byte, and a real GPU issues wider loads. element_f32.wgsl is its twin.
alias Element = vec4f;
const ELEMENT_WIDTH = 4u;

fn element_sum(e: Element) -> f32 {
  return e.x + e.y + e.z + e.w;
}

// The one element of four neighbouring columns.
fn element_of(quad: vec4f, i: u32) -> Element {
  return quad;
}
