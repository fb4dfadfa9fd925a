import { type AdapterMethod, ANY_LAYERS } from './method';
import { embeddingsProjectOf, poolerOf, productsOf } from './pretrained';

/**
 * Ben Zaken et al. 2022 (BitFit, arXiv 2106.10199): the biases alone are trained: those of all products, of the LayerNorms and
 * of the pooler, as in the authors' code.
 */
export function bitfit(): AdapterMethod {
  return {
    ...ANY_LAYERS,
    kind: 'bitfit',
    options: {},
    layerNorm: 'biases',
    canChooseLayerNorm: false,
    parameters: (context) => [
      ...embeddingsProjectOf(context, ['bias']),
      ...productsOf(context, ['bias']),
      ...poolerOf(context, ['bias']),
    ],
  };
}
