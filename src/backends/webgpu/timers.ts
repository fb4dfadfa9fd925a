import { GraftError } from '../../errors';
import type { Device } from './device';
import { BufferUsage, MAP_MODE_READ } from './flags';
import type { Memory } from './memory';

/** Device timers (WebGPU's timestamp queries) around the passes of one command encoder. */
export class Timers {
  readonly #device: Device;
  readonly #memory: Memory;
  readonly #passes: number;
  readonly #queries: GPUQuerySet;

  /** Throws GraftError where the device has no timers. */
  constructor(device: Device, memory: Memory, passes: number) {
    if (!device.gpu.features.has('timestamp-query')) {
      throw new GraftError(`${device.description.name} has no timers (timestamp-query)`);
    }
    this.#device = device;
    this.#memory = memory;
    this.#passes = passes;
    this.#queries = device.gpu.createQuerySet({ type: 'timestamp', count: passes * 2 });
  }

  pass(index: number): GPUComputePassDescriptor {
    return {
      timestampWrites: {
        querySet: this.#queries,
        beginningOfPassWriteIndex: index * 2,
        endOfPassWriteIndex: index * 2 + 1,
      },
    };
  }

  /** Submits the encoder and returns the milliseconds of each pass. */
  async finish(encoder: GPUCommandEncoder): Promise<number[]> {
    const bytes = this.#passes * 16;
    const { queryResolve, copySource, copyDestination, mapRead } = BufferUsage;
    const resolved = await this.#memory.allocate(bytes, queryResolve | copySource, 'timers');
    const staging = await this.#memory.allocate(bytes, mapRead | copyDestination, 'timers read');
    try {
      encoder.resolveQuerySet(this.#queries, 0, this.#passes * 2, resolved.gpu, 0);
      encoder.copyBufferToBuffer(resolved.gpu, 0, staging.gpu, 0, bytes);
      this.#device.gpu.queue.submit([encoder.finish()]);
      await this.#device.wait(staging.gpu.mapAsync(MAP_MODE_READ));
      // Nanoseconds.
      const times = new BigUint64Array(staging.gpu.getMappedRange());
      return Array.from(
        { length: this.#passes },
        (_, i) => Number((times[i * 2 + 1] ?? 0n) - (times[i * 2] ?? 0n)) / 1e6,
      );
    } finally {
      resolved.dispose();
      staging.dispose();
      this.#queries.destroy();
    }
  }
}
