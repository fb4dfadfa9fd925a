import { DeviceLimitError } from '../../errors';
import type { DeviceBuffer } from '../schedule';
import type { Device } from './device';

/** A GPUBuffer that is counted while it lives. */
export class WebGPUBuffer implements DeviceBuffer {
  readonly gpu: GPUBuffer;
  readonly label: string;
  readonly byteLength: number;
  readonly #onDispose: (byteLength: number) => void;
  #isDisposed = false;

  constructor(gpu: GPUBuffer, onDispose: (byteLength: number) => void) {
    this.gpu = gpu;
    this.label = gpu.label;
    this.byteLength = gpu.size;
    this.#onDispose = onDispose;
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.gpu.destroy();
    this.#onDispose(this.byteLength);
  }
}

/** Creates buffers and counts the bytes that are held. */
export class Memory {
  readonly #device: Device;
  #held = 0;
  #peak = 0;

  constructor(device: Device) {
    this.#device = device;
  }

  get held(): number {
    return this.#held;
  }

  get peak(): number {
    return this.#peak;
  }

  /** Zero-filled. Throws DeviceLimitError or OutOfDeviceMemoryError. */
  async allocate(byteLength: number, usage: GPUBufferUsageFlags, label: string): Promise<WebGPUBuffer> {
    const size = Math.max(16, Math.ceil(byteLength / 4) * 4);
    const limit = this.#device.gpu.limits.maxBufferSize;
    if (size > limit) {
      throw new DeviceLimitError(
        'maxBufferSize',
        `${label} needs ${size} bytes, the device allows ${limit}`,
        'Lower the token budget',
      );
    }
    const gpu = await this.#device.guard(() => this.#device.gpu.createBuffer({ label, size, usage }));
    this.#held += size;
    this.#peak = Math.max(this.#peak, this.#held);
    return new WebGPUBuffer(gpu, (bytes) => {
      this.#held -= bytes;
    });
  }
}

export function asWebGPUBuffer(buffer: DeviceBuffer): WebGPUBuffer {
  if (buffer instanceof WebGPUBuffer) return buffer;
  throw new TypeError(`${buffer.label} belongs to another backend`);
}
