import { bert } from './bert';
import type { ModelFamily } from './family';

/** Clark et al. 2020, arXiv 2003.10555: BERT without a pooler; embeddings may be narrower and are then projected to the hidden size. */
export const electra: ModelFamily = {
  ...bert,
  modelType: 'electra',
  className: 'Electra',
  prefix: 'electra.',
  keys: { ...bert.keys, embeddingSize: 'embedding_size' },
  hasPooler: false,
};
