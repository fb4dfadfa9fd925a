import type { WasmBuild } from '../../wasm/builds';
import { createMemory, instantiateOn, type WasmInstance } from '../../wasm/instance';
import { compileModule, memoryLimits } from '../../wasm/module';
import { type Host, type HostProgram, type HostRun, kernelFailed } from './host';
import { type Call, Runner } from './runner';
import { scratchAddress } from './scratch';

const PAGE = 65_536;

/** Runs kernels on the calling thread, which waits for them. */
export class InlineHost implements Host {
  readonly threads = 1;
  readonly base: number;
  readonly note: string | undefined;
  readonly #memory: WebAssembly.Memory;
  readonly #runner: Runner;
  #programs = 0;

  private constructor(instance: WasmInstance, note: string | undefined) {
    const heapBase = instance.function('heap_base')();
    instance.function('set_scratch')(scratchAddress(heapBase, 0));
    this.base = scratchAddress(heapBase, 1);
    this.note = note;
    this.#memory = instance.memory;
    this.#runner = new Runner(instance, 1);
  }

  static async create(build: WasmBuild, note?: string): Promise<InlineHost> {
    const memory = createMemory(await memoryLimits(build), false);
    return new InlineHost(await instantiateOn(await compileModule(build, false), memory), note);
  }

  async grow(byteLength: number): Promise<void> {
    const missing = Math.ceil(byteLength / PAGE) - this.#memory.buffer.byteLength / PAGE;
    if (missing > 0) this.#memory.grow(missing);
  }

  write(pointer: number, words: Uint32Array): void {
    new Uint32Array(this.#memory.buffer, pointer, words.length).set(words);
  }

  clear(pointer: number, byteLength: number): void {
    new Uint8Array(this.#memory.buffer, pointer, byteLength).fill(0);
  }

  async read(pointer: number, floats: number): Promise<Float32Array<ArrayBuffer>> {
    return new Float32Array(this.#memory.buffer, pointer, floats).slice();
  }

  prepare(calls: readonly Call[]): HostProgram {
    const program = this.#programs++;
    this.#runner.prepare(program, calls, undefined);
    return {
      run: async (run: HostRun) => {
        const { isComplete, error, times } = this.#runner.run({ ...run, program });
        if (!isComplete) throw kernelFailed(error);
        return times;
      },
      dispose: () => this.#runner.forget(program),
    };
  }

  dispose(): void {}
}
