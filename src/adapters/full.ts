import { embeddingParameters } from '../models/encoder-parameters';
import { type AdapterMethod, ANY_LAYERS } from './method';
import { copyOf, embeddingsProjectOf, poolerOf, productsOf } from './pretrained';

/**
 * Full fine-tuning (Devlin et al. 2019, arXiv 1810.04805): a copy of everything is trained, embeddings and pooler included. What
 * adapters are compared with; a task's files are as large as the backbone, and each parameter takes 16 bytes for the optimizer.
 * It starts from the weights as the backbone keeps them, and wants a lower learning rate than adapters, 2e-5 to 5e-5.
 */
export function fullFineTuning(): AdapterMethod {
  return {
    ...ANY_LAYERS,
    kind: 'full',
    options: {},
    canChooseLayers: false,
    layerNorm: 'all',
    canChooseLayerNorm: false,
    parameters: (context) => [
      ...embeddingParameters(context.config).map((table) => copyOf(table, context)),
      ...embeddingsProjectOf(context, ['weight', 'bias']),
      ...productsOf(context, ['weight', 'bias']),
      ...poolerOf(context, ['weight', 'bias']),
    ],
  };
}
