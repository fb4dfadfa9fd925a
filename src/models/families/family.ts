/** What a family of encoders has of its own. All of them are computed by one function, `encode` in bert.ts. */

export type ModelType = 'bert' | 'roberta' | 'xlm-roberta' | 'distilbert' | 'electra';

/** Names of modules inside the encoder, as transformers has them. */
export interface ModuleNames {
  /** Of the layers; behind it come a dot and the layer's number. */
  readonly layers: string;
  // Inside a layer:
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly attentionOutput: string;
  readonly attentionLayerNorm: string;
  readonly intermediate: string;
  readonly output: string;
  readonly outputLayerNorm: string;
  /** Where the library `adapters` keeps the adapters of a layer's sites; behind it come a dot and the adapter's name. */
  readonly attentionAdapters: string;
  readonly outputAdapters: string;
}

/** Keys of config.json. Where there is none, no checkpoint of the family has the thing, or all have the same. */
export interface ConfigKeys {
  readonly hiddenSize: string;
  readonly layers: string;
  readonly heads: string;
  readonly intermediateSize: string;
  readonly activation: string;
  readonly hiddenDropout: string;
  readonly attentionDropout: string;
  readonly classifierDropout: string;
  /** Without it 1e-12. */
  readonly layerNormEpsilon: string | undefined;
  /** Without it there are no token types. */
  readonly typeVocabularySize: string | undefined;
  /** Of embeddings that a linear layer brings to the hidden size; without it they have the hidden size. */
  readonly embeddingSize: string | undefined;
}

export interface ModelFamily {
  /** `model_type` in config.json. */
  readonly modelType: ModelType;
  /** What transformers' classes begin with: BertModel, RobertaModel. */
  readonly className: string;
  /** Before the names of an encoder's tensors in a model with a head. */
  readonly prefix: string;
  readonly modules: ModuleNames;
  readonly keys: ConfigKeys;
  /** Of `classifierDropout` where the file does not say; `undefined`: as the hidden dropout. */
  readonly classifierDropout: number | undefined;
  /** Whether a checkpoint may have a pooler. */
  readonly hasPooler: boolean;
  /** Whether positions are counted from the padding's id + 1 on (fairseq's way), not from 0. */
  readonly countsPositionsFromPadding: boolean;
  /** Whether dropout follows attention's output projection. */
  readonly dropsAttentionOutput: boolean;
}
