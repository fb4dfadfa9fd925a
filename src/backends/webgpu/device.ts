import { DeviceLostError, GraftError, NoGPUError, OutOfDeviceMemoryError } from '../../errors';
import type { DeviceDescription } from '../backend';
import { findGPU, isPolled } from './gpu';
import { napUntil } from './patience';

export interface DeviceOptions {
  /** A GPU object other than the runtime's own. */
  readonly gpu?: GPU | undefined;
  readonly powerPreference?: GPUPowerPreference | undefined;
}

/** A GPUDevice whose errors are gathered, so that whoever waits for its results hears of them. */
export class Device {
  readonly gpu: GPUDevice;
  readonly description: DeviceDescription;
  #failure: GraftError | undefined;
  /** The size of every subgroup, where all have one and shaders may use it. */
  readonly subgroupSize: number | undefined;
  readonly #naps: boolean;
  #isDisposed = false;

  private constructor(
    gpu: GPUDevice,
    description: DeviceDescription,
    traits: { readonly naps: boolean; readonly subgroupSize: number | undefined },
  ) {
    this.gpu = gpu;
    this.description = description;
    this.subgroupSize = traits.subgroupSize;
    this.#naps = traits.naps;
    gpu.addEventListener('uncapturederror', (event) => {
      this.#failure ??= toGraftError(event.error);
    });
    gpu.lost.then((info) => {
      if (this.#isDisposed) return;
      this.#failure = new DeviceLostError(
        `the device ${description.name} was lost (${info.reason}: ${info.message})`,
        'Create a new runtime; training can go on from its last saved state',
      );
    });
  }

  /** Throws NoGPUError where no GPUAdapter is offered or it gives no device. */
  static async request(options: DeviceOptions = {}): Promise<Device> {
    const gpu = options.gpu ?? (await findGPU());
    const gpuAdapter = await gpu.requestAdapter({
      powerPreference: options.powerPreference ?? 'high-performance',
    });
    if (gpuAdapter === null) {
      throw new NoGPUError(
        'WebGPU is there but offers no GPUAdapter',
        'Install a Vulkan, Metal or D3D12 driver; on Debian a software one is in mesa-vulkan-drivers (bookworm-backports)',
      );
    }
    const device = await gpuAdapter.requestDevice({
      requiredFeatures: WANTED_FEATURES.filter((feature) => gpuAdapter.features.has(feature)),
    });
    const description = describe(gpuAdapter, device);
    return new Device(device, description, {
      naps: description.isFallback && isPolled(gpu),
      subgroupSize: await fixedSubgroupSize(device, gpuAdapter.info),
    });
  }

  get isFallback(): boolean {
    return this.description.isFallback;
  }

  /** Throws what went wrong on the device since the last call, if anything did. */
  check(): void {
    const failure = this.#failure;
    if (failure === undefined) return;
    // A lost device stays lost; any other failure is reported once.
    if (!(failure instanceof DeviceLostError)) this.#failure = undefined;
    throw failure;
  }

  /**
   * Throws why `error` came up: a loss or failure of the device where there was one, else `error` itself. The news that a
   * device was lost arrives as a promise of its own, not always before the error that the loss caused.
   */
  async explain(error: unknown): Promise<never> {
    const isLost = this.gpu.lost.then(() => undefined);
    await Promise.race([isLost, new Promise((resolve) => setTimeout(resolve, LOSS_NEWS_MILLISECONDS))]);
    this.check();
    throw error;
  }

  /** Waits for work of the device, and leaves it the processor where it computes on that. */
  wait<T>(work: Promise<T>): Promise<T> {
    return this.#naps ? napUntil(work) : work;
  }

  /** Runs `create` and throws the validation or memory error that it caused on the device. */
  async guard<T>(create: () => T | Promise<T>): Promise<T> {
    this.check();
    this.gpu.pushErrorScope('out-of-memory');
    this.gpu.pushErrorScope('validation');
    let result: T | undefined;
    let thrown: unknown;
    let succeeded = false;
    try {
      result = await this.wait(Promise.resolve(create()));
      succeeded = true;
    } catch (error) {
      thrown = error;
    }
    const errors = await Promise.all([this.gpu.popErrorScope(), this.gpu.popErrorScope()]).catch(() => []);
    this.check();
    const captured = errors.find((error) => error !== null);
    if (captured) throw toGraftError(captured);
    if (!succeeded || result === undefined) throw thrown;
    return result;
  }

  dispose(): void {
    this.#isDisposed = true;
    this.gpu.destroy();
  }
}

const LOSS_NEWS_MILLISECONDS = 200;

function toGraftError(error: GPUError): GraftError {
  // `constructor.name` and not instanceof: Dawn for Node leaves the classes out of the global scope.
  if (error.constructor.name === 'GPUOutOfMemoryError') {
    return new OutOfDeviceMemoryError(
      `the device ran out of memory: ${error.message}`,
      'Lower the token budget, or close other users of the GPU',
    );
  }
  return new GraftError(`WebGPU reports: ${error.message}`);
}

/** Timers for profiles; subgroups for kernels whose lanes share their loads. */
const WANTED_FEATURES: readonly GPUFeatureName[] = ['timestamp-query', 'subgroups'];

async function fixedSubgroupSize(device: GPUDevice, info: GPUAdapterInfo): Promise<number | undefined> {
  const { subgroupMinSize, subgroupMaxSize } = info;
  if (!device.features.has('subgroups') || subgroupMinSize !== subgroupMaxSize) return undefined;
  // Some stacks offer the feature and do not parse its directive.
  device.pushErrorScope('validation');
  device.createShaderModule({ code: 'enable subgroups;' });
  return (await device.popErrorScope()) === null ? subgroupMinSize : undefined;
}

function describe(gpuAdapter: GPUAdapter, device: GPUDevice): DeviceDescription {
  const { info } = gpuAdapter;
  const limits: Record<string, number> = {};
  for (const name of LIMITS) {
    limits[name] = device.limits[name];
  }
  const name =
    info.description ||
    info.device ||
    [info.vendor, info.architecture].filter(Boolean).join(' ') ||
    'unnamed GPU';
  return {
    name,
    vendor: info.vendor,
    architecture: info.architecture,
    // Some stacks do not set the flag, yet name their software driver.
    isFallback:
      info.isFallbackAdapter ||
      /llvmpipe|swiftshader|warp|basic render/i.test(`${name} ${info.architecture}`),
    features: [...device.features].sort(),
    limits,
  };
}

/** The limits that Graft's kernels and plans depend on. */
const LIMITS = [
  'maxStorageBuffersPerShaderStage',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'minStorageBufferOffsetAlignment',
  'minUniformBufferOffsetAlignment',
] as const;
