import { createRuntime, type Runtime } from '../index';
import type { DeviceOptions } from './options';

/** Runs `work` with a runtime that is disposed of whatever happens; all device memory goes with it. */
export async function withRuntime<T>(
  { backend, threads, kernels }: DeviceOptions,
  work: (runtime: Runtime) => Promise<T>,
): Promise<T> {
  const runtime = await createRuntime({ backend, threads, kernels });
  try {
    return await work(runtime);
  } finally {
    runtime.dispose();
  }
}
