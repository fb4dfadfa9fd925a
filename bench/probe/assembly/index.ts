// The probes' own module: what WebAssembly reaches on this machine at its best. Graft does not carry it.
export { copy_bytes } from './copy';
export { CHAINS, fma_chains } from './fma';

/** Where memory that the module itself does not use begins. */
export function heap_base(): usize {
  return __heap_base;
}
