import type { DeviceBuffer } from '../backends/schedule';
import { frozen, type Tensor } from '../scheduler/tape';
import type { FrozenEncoder } from './frozen-encoder';

/**
 * The encoder's pretrained LayerNorms on the device, each `[hidden]`, by name: 'embeddings.layer_norm.weight',
 * 'layer.0.attention.layer_norm.bias', … Only those that `isWanted`: a task trains copies of the others.
 */
export async function uploadLayerNorms(
  encoder: FrozenEncoder,
  upload: (values: Float32Array, label: string) => Promise<DeviceBuffer>,
  isWanted: (name: string) => boolean,
): Promise<Map<string, Tensor>> {
  const tensors = new Map<string, Tensor>();
  for (const [place, values] of encoder.layerNorms) {
    for (const part of ['weight', 'bias'] as const) {
      const name = `${place}.layer_norm.${part}`;
      if (!isWanted(name)) continue;
      tensors.set(name, frozen(name, await upload(values[part], name), 1, values[part].length));
    }
  }
  return tensors;
}
