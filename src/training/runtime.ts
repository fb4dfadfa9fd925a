import type { Backend, DeviceDescription } from '../backends/backend';
import { WebGPUBackend } from '../backends/webgpu/backend';
import { OptionError } from '../errors';
import { runSelfTest, type SelfTestOptions, type SelfTestReport } from '../reference/self-test';

export interface RuntimeOptions {
  /** 'auto' (default) takes the best that is here. */
  readonly backend?: 'auto' | 'webgpu';
  /** Which GPUAdapter to ask for, where there are several. Default 'high-performance'. */
  readonly powerPreference?: GPUPowerPreference;
  /**
   * 'serial' kernels suit software drivers, 'tiled' ones GPUs. By default what suits the device.
   */
  readonly kernels?: 'serial' | 'tiled';
}

/** A device to compute on. Owns all memory that is made on it. */
export class Runtime {
  /** What computes: for backbones and tasks. */
  readonly compute: Backend;

  constructor(compute: Backend) {
    this.compute = compute;
  }

  /** 'webgpu'. */
  get backend(): string {
    return this.compute.name;
  }

  get device(): DeviceDescription {
    return this.compute.device;
  }

  /** Runs every kernel, forward and backward, on small inputs and compares with float64. A few seconds. */
  selfTest(options: SelfTestOptions = {}): Promise<SelfTestReport> {
    return runSelfTest(this.compute, options);
  }

  /** Gives the device and all its memory back; backbones and tasks on it are gone with it. */
  dispose(): void {
    this.compute.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }
}

/**
 * Opens a device.
 * @throws NoGPUError where there is no WebGPU or no GPUAdapter, OptionError for a backend that does not exist
 */
export async function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const backend: string = options.backend ?? 'auto';
  if (backend !== 'auto' && backend !== 'webgpu') {
    throw new OptionError('backend', `there is no backend "${backend}"`, 'Choose auto or webgpu');
  }
  const { powerPreference, kernels } = options;
  return new Runtime(await WebGPUBackend.create({ powerPreference, variant: kernels }));
}
