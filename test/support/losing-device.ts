/** Devices that get lost: a real one that a test destroys, and a backend that says so at a chosen run. */
import type { Backend } from '../../src/backends/backend';
import { WebGPUBackend } from '../../src/backends/webgpu/backend';
import { findGPU } from '../../src/backends/webgpu/gpu';
import { DeviceLostError } from '../../src/errors';
import { Runtime } from '../../src/training/runtime';

/** A runtime on WebGPU, and `lose`, which destroys its GPUDevice behind its back. */
export async function createLosableRuntime(): Promise<{ runtime: Runtime; lose: () => void }> {
  const devices: GPUDevice[] = [];
  const dawn = await findGPU();
  const requestAdapter: GPU['requestAdapter'] = async (options?: GPURequestAdapterOptions) => {
    const gpuAdapter = await dawn.requestAdapter(options);
    if (gpuAdapter === null) return null;
    return withMembers(gpuAdapter, {
      requestDevice: async (descriptor?: GPUDeviceDescriptor) => {
        const device = await gpuAdapter.requestDevice(descriptor);
        devices.push(device);
        return device;
      },
    });
  };
  const gpu = withMembers(dawn, { requestAdapter });
  return {
    runtime: new Runtime(await WebGPUBackend.create({ gpu, kernels: 'presumed' })),
    lose: () => {
      for (const device of devices) device.destroy();
    },
  };
}

/** Computes as `backend` does up to the run (counted from 1, over all its schedules) at which it is lost for good. */
export function losingBackend(backend: Backend, lostAt: number): Backend {
  let runs = 0;
  return withMembers(backend, {
    prepare: async (schedule) => {
      const executable = await backend.prepare(schedule);
      return withMembers(executable, {
        run: async (request) => {
          runs += 1;
          if (runs >= lostAt) throw new DeviceLostError('the device of this test was lost');
          return executable.run(request);
        },
      });
    },
  });
}

/** `target` with some of its members replaced; also where it keeps private ones. */
export function withMembers<T extends object>(target: T, members: Partial<T>): T {
  return new Proxy(target, {
    get: (_, property) => {
      if (Object.hasOwn(members, property)) return Reflect.get(members, property);
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
