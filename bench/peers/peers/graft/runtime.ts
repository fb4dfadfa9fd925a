import type { Backend } from '../../../../src/backends/backend';
import { createRuntime } from '../../../../src/training/runtime';
import type { Job } from '../../protocol';

/** The backend that the job asks for, with as many threads as it takes by itself unless `threads` is set. */
export async function openBackend({ settings }: Job): Promise<Backend> {
  const backend = settings.backend === 'webgpu' ? 'webgpu' : 'wasm';
  const threads = settings.threads === undefined ? undefined : Number(settings.threads);
  return (await createRuntime({ backend, threads })).compute;
}
