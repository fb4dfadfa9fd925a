import { afterAll, beforeAll } from 'vitest';
import type { Backend } from '../../src/backends/backend';
import type { VariantName } from '../../src/backends/kernel';
import { WasmBackend } from '../../src/backends/wasm/backend';
import { WebGPUBackend } from '../../src/backends/webgpu/backend';

/** A WebGPU backend for the tests of one file; there is always one, if only a software driver: see README, "Tests". */
export function useWebGPU(): () => WebGPUBackend {
  let backend: WebGPUBackend | undefined;
  beforeAll(async () => {
    // Unmeasured: tests neither read nor write what the user's runs remember.
    backend = await WebGPUBackend.create({ kernels: 'presumed' });
  });
  afterAll(() => backend?.dispose());
  return () => {
    if (backend === undefined) throw new Error('the backend is not created yet');
    return backend;
  };
}

/** Likewise any of the ways to compute: a shape of WebGPU kernels, or the CPU. */
export function useBackend(kind: VariantName | 'wasm'): () => Backend {
  let backend: Backend | undefined;
  beforeAll(async () => {
    backend = kind === 'wasm' ? await WasmBackend.create() : await WebGPUBackend.create({ kernels: kind });
  });
  afterAll(() => backend?.dispose());
  return () => {
    if (backend === undefined) throw new Error('the backend is not created yet');
    return backend;
  };
}
