import { GraftError } from '../errors';

/** A function of the module: every argument and the result are numbers (a function without a result gives 0). */
export type WasmFunction = (...values: number[]) => number;

/** One instance of the AssemblyScript module on a linear memory. */
export interface WasmInstance {
  readonly memory: WebAssembly.Memory;
  /** The exported function `name`. Throws GraftError where the module has none. */
  function(name: string): WasmFunction;
}

/** Of a memory, in pages of 64 KiB. */
export interface MemoryLimits {
  readonly minimum: number;
  readonly maximum: number;
}

/**
 * A memory for the module. A shared one reserves its maximum of addresses at once: where 4 GiB cannot be had, less is asked for.
 * Throws RangeError where no memory can be had, ReferenceError or TypeError where there are no shared ones.
 */
export function createMemory({ minimum, maximum }: MemoryLimits, isShared: boolean): WebAssembly.Memory {
  for (let most = maximum; ; most /= 2) {
    try {
      return new WebAssembly.Memory({ initial: minimum, maximum: most, shared: isShared });
    } catch (error) {
      if (!(error instanceof RangeError) || most / 2 < minimum) throw error;
    }
  }
}

/** A new instance on `memory`, which other instances may share. */
export async function instantiateOn(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): Promise<WasmInstance> {
  const instance = await WebAssembly.instantiate(module, { env: { abort, memory } });
  return {
    memory,
    function(name) {
      const value = instance.exports[name];
      if (!isWasmFunction(value)) throw new GraftError(`The WebAssembly module has no function ${name}`);
      return value;
    },
  };
}

function isWasmFunction(value: WebAssembly.ExportValue | undefined): value is WasmFunction {
  return typeof value === 'function';
}

/** AssemblyScript calls this for a failed assertion or allocation: message and file (pointers), line, column. */
function abort(_message: number, _file: number, line: number, column: number): never {
  throw new GraftError(`The WebAssembly module stopped at ${line}:${column}`);
}
