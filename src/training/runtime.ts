import type { Backend, DeviceDescription } from '../backends/backend';
import { WasmBackend } from '../backends/wasm/backend';
import { WebGPUBackend } from '../backends/webgpu/backend';
import type { MeasuredKernel } from '../backends/webgpu/kernel-choices';
import { type KernelChoice, parseKernelChoice } from '../backends/webgpu/variants';
import { NoGPUError, OptionError } from '../errors';
import { runSelfTest, type SelfTestOptions, type SelfTestReport } from '../reference/self-test';

/** Which device to open, and how. */
export interface RuntimeOptions {
  /**
   * 'webgpu', 'wasm' (the CPU), or 'auto' (default): WebGPU on a real GPU, else the CPU, which outruns WebGPU on a
   * software driver.
   */
  readonly backend?: 'auto' | 'webgpu' | 'wasm';
  /** Which GPUAdapter to ask for, where there are several. Default 'high-performance'. */
  readonly powerPreference?: 'low-power' | 'high-performance';
  /**
   * Which variants of the WebGPU kernels to run. 'auto' (default) measures what suits the device, once, and remembers it. A name
   * is taken where a kernel has such a variant: 'serial' suits software drivers, 'tiled' GPUs, 'naive' is the plain form.
   */
  readonly kernels?: KernelChoice;
  /**
   * Threads of the CPU's backend, from 1 to 64. Default: as many as there are cores, at most 8; one where there is no shared
   * memory, as in a page that is not cross-origin isolated (`runtime.device.note` then says so).
   */
  readonly threads?: number | undefined;
}

/** Threads beyond this would only wait for each other. */
const MOST_THREADS = 64;

/** A device to compute on. Owns all memory that is made on it. */
export class Runtime {
  /** @internal What computes: for backbones and tasks. */
  readonly compute: Backend;

  /** @internal `createRuntime` makes them. */
  constructor(compute: Backend) {
    this.compute = compute;
  }

  /** 'webgpu' or 'wasm'. */
  get backend(): string {
    return this.compute.name;
  }

  /** What is known of the device. */
  get device(): DeviceDescription {
    return this.compute.device;
  }

  /** WebGPU kernels whose variants were timed on this device, now or in earlier runs, and which was the fastest. */
  async measuredKernels(): Promise<readonly MeasuredKernel[]> {
    return this.compute instanceof WebGPUBackend ? this.compute.measuredKernels() : [];
  }

  /** Runs every kernel, forward and backward, on small inputs and compares with float64. A few seconds. */
  selfTest(options: SelfTestOptions = {}): Promise<SelfTestReport> {
    return runSelfTest(this.compute, options);
  }

  /** Gives the device and all its memory back; backbones and tasks on it are gone with it. */
  dispose(): void {
    this.compute.dispose();
  }

  /** `dispose`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }
}

/**
 * Opens a device.
 * @throws NoGPUError where 'webgpu' is asked for and there is no GPUAdapter, OptionError for a backend that does not exist
 */
export async function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const backend: string = options.backend ?? 'auto';
  switch (backend) {
    case 'webgpu':
      return new Runtime(await createWebGPU(options));
    case 'wasm':
      return new Runtime(await createWasm(options));
    case 'auto':
      return new Runtime(await chooseBackend(options));
    default:
      throw new OptionError('backend', `there is no backend "${backend}"`, 'Choose auto, webgpu or wasm');
  }
}

async function createWasm({ threads }: RuntimeOptions): Promise<WasmBackend> {
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS)) {
    throw new OptionError('threads', `${threads} is not a whole number from 1 to ${MOST_THREADS}`);
  }
  return WasmBackend.create({ threads });
}

function createWebGPU({ powerPreference, kernels }: RuntimeOptions): Promise<WebGPUBackend> {
  return WebGPUBackend.create({ powerPreference, kernels: parseKernelChoice(kernels ?? 'auto') });
}

async function chooseBackend(options: RuntimeOptions): Promise<Backend> {
  try {
    const webgpu = await createWebGPU(options);
    if (!webgpu.device.isFallback) return webgpu;
    webgpu.dispose();
  } catch (error) {
    if (!(error instanceof NoGPUError)) throw error;
  }
  return createWasm(options);
}
