import type { WasmBuild } from '../../wasm/builds';
import { bestBuild } from '../../wasm/module';
import type { Backend, DeviceDescription, Executable } from '../backend';
import type { FrozenMatrixBuffer, FrozenMatrixSpec } from '../frozen-matrix';
import type { DeviceBuffer, Schedule } from '../schedule';
import { createHost } from './create-host';
import { prepareSchedule } from './executor';
import { allocateMatrix } from './frozen-matrix';
import type { Host } from './host';
import { asWasmBuffer, LinearMemory, type WasmBuffer } from './memory';

/** A buffer may be as large as typed arrays and addresses allow; tables are sliced above this. */
const LARGEST_BINDING = 2 ** 30;

export interface WasmOptions {
  /** 1 computes on the calling thread, except in a page. Default: as many as there are cores, at most 8. */
  readonly threads?: number | undefined;
}

/** Computes on the CPU, in SIMD WebAssembly. */
export class WasmBackend implements Backend {
  readonly name = 'wasm';
  readonly device: DeviceDescription;
  readonly largestBinding = LARGEST_BINDING;
  readonly memory: LinearMemory;
  readonly #host: Host;

  private constructor(host: Host, build: WasmBuild) {
    const simd = build === 'relaxed-simd' ? 'relaxed SIMD' : 'SIMD';
    const threads = host.threads === 1 ? 'one thread' : `${host.threads} threads`;
    this.#host = host;
    this.memory = new LinearMemory(host);
    this.device = {
      name: `CPU (WebAssembly ${simd}, ${threads})`,
      vendor: '',
      architecture: '',
      isFallback: true,
      features: host.threads === 1 ? [build] : [build, 'threads'],
      limits: { threads: host.threads },
      note: host.note,
    };
  }

  static async create({ threads }: WasmOptions = {}): Promise<WasmBackend> {
    const build = await bestBuild();
    return new WasmBackend(await createHost(build, threads), build);
  }

  allocate(byteLength: number, label: string): Promise<WasmBuffer> {
    return this.memory.allocate(byteLength, label);
  }

  allocateMatrix(spec: FrozenMatrixSpec): Promise<FrozenMatrixBuffer> {
    return allocateMatrix(spec, this.#host, this.memory);
  }

  write(buffer: DeviceBuffer, byteOffset: number, data: Float32Array | Uint32Array): void {
    const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
    this.#host.write(asWasmBuffer(buffer).pointer + byteOffset, words);
  }

  read(buffer: DeviceBuffer, floats: number): Promise<Float32Array<ArrayBuffer>> {
    return this.#host.read(asWasmBuffer(buffer).pointer, floats);
  }

  prepare(schedule: Schedule): Promise<Executable> {
    return prepareSchedule(schedule, this.#host, this.memory);
  }

  /** Ends the threads; the memory goes with them. */
  dispose(): void {
    this.#host.dispose();
  }
}
