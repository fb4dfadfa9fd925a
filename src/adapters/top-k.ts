import { OptionError } from '../errors';
import type { AdapterMethod } from './method';
import { poolerOf, productsOf } from './pretrained';

export interface TopLayersOptions {
  /** How many layers are trained, from the top. Default 1. */
  readonly topK?: number | undefined;
}

/**
 * The top k layers, their LayerNorms and the pooler are trained, the layers below and the embeddings frozen: the "variable
 * fine-tuning" that Houlsby et al. 2019 (arXiv 1902.00751, §3.3) compare with.
 *
 * @throws OptionError for a number of layers that is not a whole number of at least 1; so does a task on a backbone with fewer
 */
export function topLayers({ topK: k = 1 }: TopLayersOptions = {}): AdapterMethod {
  if (!Number.isInteger(k) || k < 1) {
    throw new OptionError('topK', `${k} is not a whole number of at least 1`);
  }
  return {
    kind: 'top-k',
    options: { topK: k },
    layers(count) {
      if (k > count) throw new OptionError('topK', `the backbone has ${count} layers, fewer than ${k}`);
      return Array.from({ length: k }, (_, index) => count - k + index);
    },
    canChooseLayers: false,
    layerNorm: 'all',
    canChooseLayerNorm: false,
    parameters: (context) => [
      ...productsOf(context, ['weight', 'bias']),
      ...poolerOf(context, ['weight', 'bias']),
    ],
  };
}
