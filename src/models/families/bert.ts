import type { ModelFamily } from './family';

/** Devlin et al. 2019, arXiv 1810.04805; MiniLM and the BERTs of sentence-transformers are of the same type. */
export const bert: ModelFamily = {
  modelType: 'bert',
  className: 'Bert',
  prefix: 'bert.',
  modules: {
    layers: 'encoder.layer',
    query: 'attention.self.query',
    key: 'attention.self.key',
    value: 'attention.self.value',
    attentionOutput: 'attention.output.dense',
    attentionLayerNorm: 'attention.output.LayerNorm',
    intermediate: 'intermediate.dense',
    output: 'output.dense',
    outputLayerNorm: 'output.LayerNorm',
    attentionAdapters: 'attention.output.adapters',
    outputAdapters: 'output.adapters',
  },
  keys: {
    hiddenSize: 'hidden_size',
    layers: 'num_hidden_layers',
    heads: 'num_attention_heads',
    intermediateSize: 'intermediate_size',
    activation: 'hidden_act',
    hiddenDropout: 'hidden_dropout_prob',
    attentionDropout: 'attention_probs_dropout_prob',
    classifierDropout: 'classifier_dropout',
    layerNormEpsilon: 'layer_norm_eps',
    typeVocabularySize: 'type_vocab_size',
    embeddingSize: undefined,
  },
  classifierDropout: undefined,
  hasPooler: true,
  countsPositionsFromPadding: false,
  dropsAttentionOutput: true,
};
