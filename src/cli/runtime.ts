import { createRuntime, type Runtime } from '../index';
import type { BackendOption } from './options';

/** Runs `work` with a runtime that is disposed of whatever happens; all device memory goes with it. */
export async function withRuntime<T>(
  backend: BackendOption['backend'],
  work: (runtime: Runtime) => Promise<T>,
): Promise<T> {
  const runtime = await createRuntime({ backend });
  try {
    return await work(runtime);
  } finally {
    runtime.dispose();
  }
}
