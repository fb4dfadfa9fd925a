import relaxedWasm from '../../build/graft.relaxed.wasm';
import wasm from '../../build/graft.wasm';
import { findMemoryImport, unshared } from './binary';
import { createMemory, instantiateOn, type MemoryLimits, type WasmInstance } from './instance';

/** The module's two builds: relaxed SIMD has fused multiply-add, whose last bits may differ from one machine to another. */
export type WasmBuild = 'simd' | 'relaxed-simd';

const binaries: Readonly<Record<WasmBuild, Uint8Array<ArrayBuffer>>> = {
  simd: wasm,
  'relaxed-simd': relaxedWasm,
};

let best: WasmBuild | undefined;

/** The fastest build that this engine takes. */
export function bestBuild(): WasmBuild {
  best ??= WebAssembly.validate(relaxedWasm) ? 'relaxed-simd' : 'simd';
  return best;
}

/** What a memory for `build` must be. */
export function memoryLimits(build: WasmBuild): MemoryLimits {
  return findMemoryImport(binaries[build]);
}

const compiled = new Map<string, Promise<WebAssembly.Module>>();

/** The module for a shared memory or for one that is not; compiled on the first call, once for all instances. */
export function compileModule(build: WasmBuild, isShared: boolean): Promise<WebAssembly.Module> {
  const key = `${build} ${isShared}`;
  let module = compiled.get(key);
  if (module === undefined) {
    module = WebAssembly.compile(isShared ? binaries[build] : unshared(binaries[build]));
    compiled.set(key, module);
  }
  return module;
}

/** A new instance with a memory of its own, for the tokenizer and the optimizer: the same bits on every engine. */
export async function instantiate(): Promise<WasmInstance> {
  return instantiateOn(await compileModule('simd', false), createMemory(memoryLimits('simd'), false));
}
