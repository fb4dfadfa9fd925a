// Parameters that differ between a batch's sequences: which group's a row reads. Twin of shaders/lib/groups.wgsl.

/** `tokens` `[T, 4]` and `groups` `[B]`; `rows` is the code of rows that are tokens (0) or sequences. */
export function groupOf(row: u32, rows: u32, tokens: usize, groups: usize): u32 {
  const sequence = rows === 0 ? load<u32>(tokens + ((<usize>row) << 4), 12) : row;
  return load<u32>(groups + ((<usize>sequence) << 2));
}

/** The end of the run of rows of one group that begins at `row`. */
export function runEnd(row: u32, last: u32, rows: u32, tokens: usize, groups: usize): u32 {
  const own = groupOf(row, rows, tokens, groups);
  let next = row + 1;
  while (next < last && groupOf(next, rows, tokens, groups) === own) next++;
  return next;
}
