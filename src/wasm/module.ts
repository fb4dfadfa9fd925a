import wasm from '../../build/graft.wasm';
import { GraftError } from '../errors';

/** A function of the module: every argument and the result are numbers (a function without a result gives 0). */
export type WasmFunction = (...values: number[]) => number;

/** One instance of the AssemblyScript module, with a linear memory of its own. */
export interface WasmInstance {
  readonly memory: WebAssembly.Memory;
  /** The exported function `name`. Throws GraftError where the module has none. */
  function(name: string): WasmFunction;
}

let compiled: Promise<WebAssembly.Module> | undefined;

/** A new instance of the module. It is compiled on the first call, once for all instances. */
export async function instantiate(): Promise<WasmInstance> {
  compiled ??= WebAssembly.compile(wasm);
  const instance = await WebAssembly.instantiate(await compiled, { env: { abort } });
  const { memory } = instance.exports;
  if (!(memory instanceof WebAssembly.Memory))
    throw new GraftError('The WebAssembly module exports no memory');
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
