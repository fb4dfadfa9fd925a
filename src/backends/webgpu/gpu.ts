import { NoGPUError } from '../../errors';

/** What Graft uses of the `webgpu` package (Dawn for Node). */
interface Dawn {
  create(flags: string[]): GPU;
}

function isDawn(module: unknown): module is Dawn {
  return (
    typeof module === 'object' && module !== null && 'create' in module && typeof module.create === 'function'
  );
}

// Dawn aborts or hangs when the object that `create` returned is collected while a device of it lives: it is held here.
let dawn: GPU | undefined;

/** Whether waiting for this GPU's promises polls it from Node's event loop. */
export function isPolled(gpu: GPU): boolean {
  return gpu === dawn;
}

/** `navigator.gpu`, or Dawn in Node. Throws NoGPUError where there is neither. */
export async function findGPU(): Promise<GPU> {
  const native: GPU | undefined = globalThis.navigator?.gpu;
  if (native !== undefined && native !== null) return native;
  if (dawn !== undefined) return dawn;
  const isNode =
    typeof process === 'object' && process.versions?.node !== undefined && !('Deno' in globalThis);
  if (!isNode) {
    throw new NoGPUError(
      'this browser or runtime has no WebGPU',
      'Use a current Chrome, Edge, Safari or Deno',
    );
  }
  // Put together here, so that bundlers leave this optional package alone, and minifiers, too.
  const name = ['web', 'gpu'].join('');
  let module: unknown;
  try {
    module = await import(/* @vite-ignore */ /* webpackIgnore: true */ name);
  } catch (cause) {
    throw new NoGPUError('Node has no WebGPU of its own', 'Run `npm install webgpu` beside graft-ml', {
      cause,
    });
  }
  if (!isDawn(module))
    throw new NoGPUError('the `webgpu` package is not Dawn for Node', 'Install webgpu 0.6.2');
  dawn = module.create([]);
  return dawn;
}
