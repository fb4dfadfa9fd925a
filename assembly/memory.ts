/** The first address that the module's own data leaves free. The CPU backend lays out its buffers from here on. */
export function heap_base(): usize {
  return __heap_base;
}
