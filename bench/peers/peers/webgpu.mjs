/** WebGPU for peers that look for a browser's: Dawn, with its classes and constants as globals. */
import { availableParallelism } from 'node:os';

export async function provideNavigator({ gpu, threads = availableParallelism() }) {
  // navigator.hardwareConcurrency is what jax-js takes for its number of threads.
  const navigator = { hardwareConcurrency: threads, userAgent: 'Node', platform: 'Node' };
  if (gpu) {
    const { create, globals } = await import('webgpu');
    Object.assign(globalThis, globals);
    // Held by the global for as long as the process lives: Dawn aborts when what `create` gave is collected.
    navigator.gpu = create([]);
  }
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
}
