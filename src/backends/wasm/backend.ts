import { instantiate, type WasmInstance } from '../../wasm/module';
import type { Backend, DeviceDescription, Executable } from '../backend';
import type { DeviceBuffer, Schedule } from '../schedule';
import { prepareSchedule } from './executor';
import { alignUp, asWasmBuffer, LinearMemory, type WasmBuffer } from './memory';

/** A buffer may be as large as typed arrays and addresses allow; tables are sliced above this. */
const LARGEST_BINDING = 2 ** 30;
/** Working memory of a thread: SCRATCH_BYTES in assembly/kernels/lib/scratch.ts. */
const SCRATCH_BYTES = 2 * 2 ** 20;

/** Computes on the CPU, in SIMD WebAssembly, on the calling thread. */
export class WasmBackend implements Backend {
  readonly name = 'wasm';
  readonly device: DeviceDescription = {
    name: 'CPU (WebAssembly SIMD, one thread)',
    vendor: '',
    architecture: '',
    isFallback: true,
    features: ['simd'],
    limits: {},
  };
  readonly largestBinding = LARGEST_BINDING;
  readonly memory: LinearMemory;
  readonly #instance: WasmInstance;

  private constructor(instance: WasmInstance) {
    this.#instance = instance;
    const scratch = alignUp(instance.function('heap_base')());
    instance.function('set_scratch')(scratch);
    // The memory grows with the first buffer, which lies behind the scratch.
    this.memory = new LinearMemory(instance.memory, scratch + SCRATCH_BYTES);
  }

  static async create(): Promise<WasmBackend> {
    return new WasmBackend(await instantiate());
  }

  async allocate(byteLength: number, label: string): Promise<WasmBuffer> {
    return this.memory.allocate(byteLength, label);
  }

  write(buffer: DeviceBuffer, byteOffset: number, data: Float32Array | Uint32Array): void {
    const { pointer } = asWasmBuffer(buffer);
    const source = new Uint32Array(data.buffer, data.byteOffset, data.length);
    this.memory.words(pointer + byteOffset, data.length).set(source);
  }

  async read(buffer: DeviceBuffer, floats: number): Promise<Float32Array<ArrayBuffer>> {
    return this.memory.floats(asWasmBuffer(buffer).pointer, floats).slice();
  }

  async prepare(schedule: Schedule): Promise<Executable> {
    return prepareSchedule(schedule, this.#instance, this.memory);
  }

  /** Linear memory goes with the instance, once nothing refers to it. */
  dispose(): void {}
}
