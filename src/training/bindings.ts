import type { Backend } from '../backends/backend';
import { DeviceLimitError } from '../errors';
import type { ParameterLayout } from '../scheduler/parameters';

/**
 * Throws DeviceLimitError with the `hint` where the device cannot bind one of the tensors: a trained word table may be large, and
 * so may one parameter of many tasks.
 */
export function checkBindings(
  { places }: ParameterLayout,
  { largestBinding }: Pick<Backend, 'largestBinding'>,
  hint: string,
): void {
  for (const { name, length } of places) {
    if (length * 4 > largestBinding) {
      throw new DeviceLimitError(
        'maxStorageBufferBindingSize',
        `${name} takes ${length * 4} bytes, the device binds ${largestBinding}`,
        hint,
      );
    }
  }
}
