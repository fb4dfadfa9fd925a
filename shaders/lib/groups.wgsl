// Parameters that differ between a batch's sequences: which group's a row reads. Only inference has them, so the batch's labels
// are free to hold each sequence's group.
@group(0) @binding(7) var<storage, read> tokens: array<vec4u>; // [T, 4], the fourth the index of the token's sequence
@group(0) @binding(8) var<storage, read> group_of_sequence: array<u32>;

// `rows`: the code of rows that are tokens (0) or sequences.
fn group_of(row: u32, rows: u32) -> u32 {
  if rows == 0u {
    return group_of_sequence[tokens[row].w];
  }
  return group_of_sequence[row];
}
