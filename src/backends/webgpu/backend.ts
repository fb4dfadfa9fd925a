import type { Backend, DeviceDescription, Executable } from '../backend';
import type { FrozenMatrixBuffer, FrozenMatrixSpec } from '../frozen-matrix';
import type { DeviceBuffer, Schedule } from '../schedule';
import { Device, type DeviceOptions } from './device';
import { prepareSchedule } from './executor';
import { BufferUsage, MAP_MODE_READ } from './flags';
import { allocateMatrix } from './frozen-matrix';
import type { MeasuredKernel } from './kernel-choices';
import { asWebGPUBuffer, Memory, type WebGPUBuffer } from './memory';
import { Pipelines } from './pipelines';
import { Tuner } from './tuning';
import type { KernelChoice } from './variants';

export interface WebGPUOptions extends DeviceOptions {
  /** Which variants of kernels to run. Default 'auto'. */
  readonly kernels?: KernelChoice | undefined;
}

/** Computes on WebGPU. */
export class WebGPUBackend implements Backend {
  readonly name = 'webgpu';
  readonly #device: Device;
  readonly #memory: Memory;
  readonly #pipelines: Pipelines;
  readonly #tuner: Tuner;

  private constructor(device: Device, choice: KernelChoice) {
    this.#device = device;
    this.#memory = new Memory(device);
    this.#pipelines = new Pipelines(device);
    this.#tuner = new Tuner({ device, memory: this.#memory, pipelines: this.#pipelines, choice });
  }

  static async create(options: WebGPUOptions = {}): Promise<WebGPUBackend> {
    return new WebGPUBackend(await Device.request(options), options.kernels ?? 'auto');
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
      return await this.#device.explain(error);
    } finally {
      staging.dispose();
    }
  }

  /** Kernels whose variants were timed on this device, now or in earlier runs. */
  measuredKernels(): Promise<MeasuredKernel[]> {
    return this.#tuner.measured();
  }

  prepare(schedule: Schedule): Promise<Executable> {
    return prepareSchedule(schedule, {
      device: this.#device,
      memory: this.#memory,
      pipelines: this.#pipelines,
      tuner: this.#tuner,
    });
  }

  dispose(): void {
    this.#device.dispose();
  }
}
