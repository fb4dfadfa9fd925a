import type { ModelFamily } from './family';

/** Sanh et al. 2019, arXiv 1910.01108: half the layers of BERT, without token types and pooler. */
export const distilbert: ModelFamily = {
  modelType: 'distilbert',
  className: 'DistilBert',
  prefix: 'distilbert.',
  modules: {
    layers: 'transformer.layer',
    query: 'attention.q_lin',
    key: 'attention.k_lin',
    value: 'attention.v_lin',
    attentionOutput: 'attention.out_lin',
    attentionLayerNorm: 'sa_layer_norm',
    intermediate: 'ffn.lin1',
    output: 'ffn.lin2',
    outputLayerNorm: 'output_layer_norm',
    attentionAdapters: 'attention_adapters.adapters',
    outputAdapters: 'output_adapters.adapters',
  },
  keys: {
    hiddenSize: 'dim',
    layers: 'n_layers',
    heads: 'n_heads',
    intermediateSize: 'hidden_dim',
    activation: 'activation',
    hiddenDropout: 'dropout',
    attentionDropout: 'attention_dropout',
    classifierDropout: 'seq_classif_dropout',
    layerNormEpsilon: undefined,
    typeVocabularySize: undefined,
    embeddingSize: undefined,
  },
  classifierDropout: 0.2,
  hasPooler: false,
  countsPositionsFromPadding: false,
  dropsAttentionOutput: false,
};
