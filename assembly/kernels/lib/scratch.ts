// Working memory of the thread at hand. Instances of the module on several threads share one linear memory and with it every
// static address, so a kernel keeps intermediate values here: each instance is told an address of its own.

/** What every thread has: SCRATCH_BYTES in src/backends/wasm/backend.ts. */
export const SCRATCH_BYTES: usize = 2 << 20;

let base: usize = 0;

/** Called once per instance, before its first kernel; `address` is a multiple of 64. */
export function set_scratch(address: usize): void {
  base = address;
}

/** The address of SCRATCH_BYTES that no other thread touches. Nothing survives from one call of a kernel to the next. */
export function scratch(): usize {
  return base;
}
