import type { Backend, DeviceDescription, Executable } from '../backend';
import type { FrozenMatrixBuffer, FrozenMatrixSpec } from '../frozen-matrix';
import type { VariantName } from '../kernel';
import type { DeviceBuffer, Schedule } from '../schedule';
import { Device, type DeviceOptions } from './device';
import { prepareSchedule } from './executor';
import { BufferUsage, MAP_MODE_READ } from './flags';
import { allocateMatrix } from './frozen-matrix';
import { asWebGPUBuffer, Memory, type WebGPUBuffer } from './memory';
import { Pipelines } from './pipelines';

export interface WebGPUOptions extends DeviceOptions {
  /** Which shape of kernel to run; by default what suits the device. */
  readonly variant?: VariantName | undefined;
}

/** Computes on WebGPU. */
export class WebGPUBackend implements Backend {
  readonly name = 'webgpu';
  readonly #device: Device;
  readonly #memory: Memory;
  readonly #pipelines: Pipelines;
  readonly #variant: VariantName;

  private constructor(device: Device, variant: VariantName) {
    this.#device = device;
    this.#memory = new Memory(device);
    this.#pipelines = new Pipelines(device);
    this.#variant = variant;
  }

  static async create(options: WebGPUOptions = {}): Promise<WebGPUBackend> {
    const device = await Device.request(options);
    return new WebGPUBackend(device, options.variant ?? (device.description.isFallback ? 'serial' : 'tiled'));
  }

  get device(): DeviceDescription {
    return this.#device.description;
  }

  get largestBinding(): number {
    const { maxStorageBufferBindingSize, maxBufferSize } = this.#device.gpu.limits;
    return Math.min(maxStorageBufferBindingSize, maxBufferSize);
  }

  get memory(): Memory {
    return this.#memory;
  }

  allocate(byteLength: number, label: string): Promise<WebGPUBuffer> {
    const usage = BufferUsage.storage | BufferUsage.copySource | BufferUsage.copyDestination;
    return this.#memory.allocate(byteLength, usage, label);
  }

  allocateMatrix(spec: FrozenMatrixSpec): Promise<FrozenMatrixBuffer> {
    return allocateMatrix(spec, this);
  }

  write(buffer: DeviceBuffer, byteOffset: number, data: Float32Array | Uint32Array): void {
    this.#device.check();
    this.#device.gpu.queue.writeBuffer(
      asWebGPUBuffer(buffer).gpu,
      byteOffset,
      data.buffer,
      data.byteOffset,
      data.byteLength,
    );
  }

  async read(buffer: DeviceBuffer, floats: number): Promise<Float32Array<ArrayBuffer>> {
    const { gpu } = this.#device;
    const usage = BufferUsage.mapRead | BufferUsage.copyDestination;
    const staging = await this.#memory.allocate(floats * 4, usage, `reading ${buffer.label}`);
    try {
      const encoder = gpu.createCommandEncoder();
      encoder.copyBufferToBuffer(asWebGPUBuffer(buffer).gpu, 0, staging.gpu, 0, floats * 4);
      gpu.queue.submit([encoder.finish()]);
      await this.#device.wait(staging.gpu.mapAsync(MAP_MODE_READ));
      return new Float32Array(staging.gpu.getMappedRange(0, floats * 4).slice(0));
    } catch (error) {
      this.#device.check();
      throw error;
    } finally {
      staging.dispose();
    }
  }

  prepare(schedule: Schedule): Promise<Executable> {
    return prepareSchedule(schedule, {
      device: this.#device,
      memory: this.#memory,
      pipelines: this.#pipelines,
      variant: this.#variant,
    });
  }

  dispose(): void {
    this.#device.dispose();
  }
}
