/** Tensors to a file of the container and type that are asked for. */
import { OptionError } from '../errors';
import type { NamedTensor, StoredFloat } from './named-tensor';
import { writeSafetensors } from './safetensors';
import type { WeightsOptions } from './save-options';
import { writeTorchFile } from './torch-write';

const DTYPES: ReadonlyMap<string, StoredFloat> = new Map([
  ['f32', 'F32'],
  ['f16', 'F16'],
]);

/** Throws OptionError for an option that does not exist, and for a number that f16 cannot hold. */
export function writeWeights(
  tensors: readonly NamedTensor[],
  { dtype = 'f32', container = 'safetensors' }: WeightsOptions,
): Uint8Array<ArrayBuffer> {
  const stored = DTYPES.get(dtype);
  if (stored === undefined) {
    throw new OptionError('dtype', `there is no type "${dtype}"`, 'Choose f32 or f16');
  }
  switch (container) {
    case 'safetensors':
      // transformers asks safetensors files for this.
      return writeSafetensors(tensors, { metadata: { format: 'pt' }, dtype: stored });
    case 'bin':
      return writeTorchFile(tensors, stored);
    default:
      throw new OptionError('container', `there is no container "${container}"`, 'Choose safetensors or bin');
  }
}
