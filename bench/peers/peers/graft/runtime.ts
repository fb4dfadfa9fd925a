import type { Backend } from '../../../../src/backends/backend';
import { createRuntime } from '../../../../src/training/runtime';
import type { Job } from '../../protocol';

/** The backend that the job asks for. */
export async function openBackend({ settings }: Job): Promise<Backend> {
  const backend = settings.backend === 'webgpu' ? 'webgpu' : 'wasm';
  return (await createRuntime({ backend })).compute;
}
