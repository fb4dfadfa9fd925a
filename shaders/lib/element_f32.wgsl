// What a row is read and written in: single numbers, for any number of columns. element_vec4.wgsl is its twin.
alias Element = f32;
const ELEMENT_WIDTH = 1u;

fn element_sum(e: Element) -> f32 {
  return e;
}

// Element `i` of four neighbouring columns.
fn element_of(quad: vec4f, i: u32) -> Element {
  return quad[i];
}
