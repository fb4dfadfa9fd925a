/**
 * Room for `length` f32, zeroed, aligned to 16 bytes, never freed: an arena lives as long as its instance of the module.
 * Traps when the memory cannot grow.
 */
export function allocate_arena(length: i32): usize {
  const bytes = (<usize>length) << 2;
  const arena = heap.alloc(bytes);
  memory.fill(arena, 0, bytes);
  return arena;
}
