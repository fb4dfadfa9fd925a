import { alignUp } from './memory';

/** Working memory of a thread: SCRATCH_BYTES in assembly/kernels/lib/scratch.ts. */
const SCRATCH_BYTES = 2 * 2 ** 20;

/** Where the scratch of thread `index` begins, behind the module's own data; that of thread n, of n, is where buffers begin. */
export function scratchAddress(heapBase: number, index: number): number {
  return alignUp(heapBase) + index * SCRATCH_BYTES;
}
