import type { AdapterMethod } from '../adapters/method';
import type { Backend } from '../backends/backend';
import type { DeviceBuffer } from '../backends/schedule';
import { GraftError } from '../errors';
import { PRODUCTS, productName, productSizes } from '../models/encoder-parameters';
import type { FrozenEncoder, FrozenLinear } from '../models/frozen-encoder';
import { uploadMatrix } from '../models/upload-matrix';
import { frozen, matrixOf } from '../scheduler/tape';

/** Products with a method folded into their weights. */
export interface MergedProducts {
  /** By the names of the products: 'layer.0.attention.query_key_value'. */
  readonly products: ReadonlyMap<string, FrozenLinear>;
  dispose(): void;
}

/**
 * Copies of the products that a method changes, with what it adds folded in: in the storage of the encoder's own, so that in f16
 * and int8 the sum is rounded. Throws GraftError for a method that cannot be folded in, DeviceLimitError or
 * OutOfDeviceMemoryError, with nothing left behind.
 */
export async function mergeProducts(
  backend: Backend,
  encoder: FrozenEncoder,
  method: AdapterMethod,
  layers: readonly number[],
  parameter: (name: string) => Float32Array,
): Promise<MergedProducts> {
  if (method.merge === undefined) {
    throw new GraftError(
      `${method.kind} cannot be merged into the backbone's weights`,
      'LoRA and (IA)³ can; what trains the weights themselves has nothing to merge',
    );
  }
  const buffers: DeviceBuffer[] = [];
  const dispose = () => {
    for (const buffer of buffers) buffer.dispose();
  };
  const products = new Map<string, FrozenLinear>();
  try {
    for (const layer of layers) {
      for (const product of PRODUCTS) {
        const merge = method.merge({ layer, product });
        const pretrained = encoder.layers[layer]?.[product];
        if (merge === undefined || pretrained === undefined) continue;
        const name = productName({ layer, product });
        const weight = await encoder.read(`${name}.weight`);
        const bias = await encoder.read(`${name}.bias`);
        const { inputs: columns, outputs: rows } = productSizes(product, encoder.config);
        merge({ weight, bias, inputs: columns }, parameter);
        const { storage } = matrixOf(pretrained.weight);
        const spec = { label: `merged ${name}`, rows, columns, storage, use: 'product' } as const;
        const uploaded = await uploadMatrix(backend, spec, weight);
        buffers.push(...uploaded.buffers);
        const biasBuffer = await backend.allocate(bias.byteLength, `merged ${name}.bias`);
        buffers.push(biasBuffer);
        backend.write(biasBuffer, 0, bias);
        products.set(name, {
          weight: uploaded.tensor,
          bias: frozen(`merged ${name}.bias`, biasBuffer, 1, rows),
        });
      }
    }
    return { products, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}
