import { afterAll, beforeAll } from 'vitest';
import type { VariantName } from '../../src/backends/kernel';
import { WebGPUBackend } from '../../src/backends/webgpu/backend';

/** A WebGPU backend for the tests of one file; there is always one, if only a software driver: see README, "Tests". */
export function useWebGPU(variant?: VariantName): () => WebGPUBackend {
  let backend: WebGPUBackend | undefined;
  beforeAll(async () => {
    backend = await WebGPUBackend.create({ variant });
  });
  afterAll(() => backend?.dispose());
  return () => {
    if (backend === undefined) throw new Error('the backend is not created yet');
    return backend;
  };
}
