import { findMemoryImport, unshared } from './binary';
import { unpackBuilds, type WasmBuild } from './builds';
import { createMemory, instantiateOn, type MemoryLimits, type WasmInstance } from './instance';

let unpacked: ReturnType<typeof unpackBuilds> | undefined;

async function binaryOf(build: WasmBuild): Promise<Uint8Array<ArrayBuffer>> {
  unpacked ??= unpackBuilds();
  return (await unpacked)[build];
}

let best: WasmBuild | undefined;

/** The fastest build that this engine takes. */
export async function bestBuild(): Promise<WasmBuild> {
  best ??= WebAssembly.validate(await binaryOf('relaxed-simd')) ? 'relaxed-simd' : 'simd';
  return best;
}

/** What a memory for `build` must be. */
export async function memoryLimits(build: WasmBuild): Promise<MemoryLimits> {
  return findMemoryImport(await binaryOf(build));
}

const compiled = new Map<string, Promise<WebAssembly.Module>>();

/** The module for a shared memory or for one that is not; compiled on the first call, once for all instances. */
export function compileModule(build: WasmBuild, isShared: boolean): Promise<WebAssembly.Module> {
  const key = `${build} ${isShared}`;
  let module = compiled.get(key);
  if (module === undefined) {
    module = binaryOf(build).then((binary) => WebAssembly.compile(isShared ? binary : unshared(binary)));
    compiled.set(key, module);
  }
  return module;
}

/** A new instance with a memory of its own, for the tokenizer and the optimizer: the same bits on every engine. */
export async function instantiate(): Promise<WasmInstance> {
  return instantiateOn(await compileModule('simd', false), createMemory(await memoryLimits('simd'), false));
}
