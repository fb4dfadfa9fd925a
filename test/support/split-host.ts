import type { Backend } from '../../src/backends/backend';
import { prepareSchedule } from '../../src/backends/wasm/executor';
import { allocateMatrix } from '../../src/backends/wasm/frozen-matrix';
import type { Host, HostProgram, HostRun } from '../../src/backends/wasm/host';
import { asWasmBuffer, LinearMemory } from '../../src/backends/wasm/memory';
import type { Call } from '../../src/backends/wasm/runner';
import { scratchAddress } from '../../src/backends/wasm/scratch';
import { createMemory, instantiateOn, type WasmInstance } from '../../src/wasm/instance';
import { bestBuild, compileModule, memoryLimits } from '../../src/wasm/module';

const PAGE = 65_536;
/** Lengths of the ranges that a call's items are cut into, over and over. */
const RANGES = [1, 4, 3, 64, 2, 7, 29];

/**
 * Runs every call twice on the same memory: whole, then in uneven ranges of its items from the last to the first, as threads
 * may take them. Where one bit of the memory behind `base` differs, the run rejects and names the kernel.
 */
class SplitHost implements Host {
  readonly threads = 1;
  readonly base: number;
  readonly note = undefined;
  readonly #instance: WasmInstance;
  /** Kernels whose items were in fact split. */
  readonly split = new Set<string>();

  private constructor(instance: WasmInstance) {
    const heapBase = instance.function('heap_base')();
    instance.function('set_scratch')(scratchAddress(heapBase, 0));
    this.base = scratchAddress(heapBase, 1);
    this.#instance = instance;
  }

  static async create(): Promise<SplitHost> {
    const build = await bestBuild();
    const memory = createMemory(await memoryLimits(build), false);
    return new SplitHost(await instantiateOn(await compileModule(build, false), memory));
  }

  get #buffer(): ArrayBufferLike {
    return this.#instance.memory.buffer;
  }

  async grow(byteLength: number): Promise<void> {
    const missing = Math.ceil(byteLength / PAGE) - this.#buffer.byteLength / PAGE;
    if (missing > 0) this.#instance.memory.grow(missing);
  }

  write(pointer: number, words: Uint32Array): void {
    new Uint32Array(this.#buffer, pointer, words.length).set(words);
  }

  clear(pointer: number, byteLength: number): void {
    new Uint8Array(this.#buffer, pointer, byteLength).fill(0);
  }

  async read(pointer: number, floats: number): Promise<Float32Array<ArrayBuffer>> {
    return new Float32Array(this.#buffer, pointer, floats).slice();
  }

  prepare(calls: readonly Call[]): HostProgram {
    return {
      run: async ({ batch, items }: HostRun) => {
        for (const [index, call] of calls.entries()) this.#runTwice(call, batch, items[index] ?? 0);
        return undefined;
      },
      dispose: () => {},
    };
  }

  dispose(): void {}

  #runTwice({ kernel, params, buffers }: Call, batch: number, items: number): void {
    const run = this.#instance.function(kernel);
    const words = new Uint32Array(this.#buffer, this.base, (this.#buffer.byteLength - this.base) / 4);
    const before = words.slice();
    run(params, batch, buffers, 0, items);
    const whole = words.slice();
    words.set(before);
    const ranges = rangesOf(items);
    for (const [first, last] of ranges.reverse()) run(params, batch, buffers, first, last);
    if (ranges.length > 1) this.split.add(kernel);
    const different = whole.findIndex((word, i) => word !== words[i]);
    if (different >= 0) throw new Error(`${kernel} of ${items} items differs when they are split`);
  }
}

function rangesOf(items: number): [number, number][] {
  const ranges: [number, number][] = [];
  let first = 0;
  while (first < items) {
    const last = Math.min(items, first + (RANGES[ranges.length % RANGES.length] ?? 1));
    ranges.push([first, last]);
    first = last;
  }
  return ranges;
}

/** The CPU's kernels on such a host, and the names of those that have been split so far. */
export async function createSplitBackend(): Promise<{ backend: Backend; split: ReadonlySet<string> }> {
  const host = await SplitHost.create();
  const memory = new LinearMemory(host);
  const backend: Backend = {
    name: 'wasm',
    device: { name: 'split', vendor: '', architecture: '', isFallback: true, features: [], limits: {} },
    largestBinding: 2 ** 30,
    memory,
    allocate: (byteLength, label) => memory.allocate(byteLength, label),
    allocateMatrix: (spec) => allocateMatrix(spec, host, memory),
    write: (buffer, byteOffset, data) => {
      const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
      host.write(asWasmBuffer(buffer).pointer + byteOffset, words);
    },
    read: (buffer, floats) => host.read(asWasmBuffer(buffer).pointer, floats),
    prepare: (schedule) => prepareSchedule(schedule, host, memory),
    dispose: () => {},
  };
  return { backend, split: host.split };
}
