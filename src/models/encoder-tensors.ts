/** The tensors of an encoder: by the names of BertModel, which Graft uses for all families, and by those of the file. */
import type { EncoderConfig } from './config';
import { FAMILIES } from './families';

export interface EncoderTensor {
  /** Graft's: BertModel's, and 'embeddings_project' as in ElectraModel. */
  readonly name: string;
  /** In the file, after the optional prefix. */
  readonly storedName: string;
  /** PyTorch's order: a linear layer's weight is [out, in]. */
  readonly shape: readonly number[];
}

/** All tensors that an encoder needs, in the order in which a forward pass meets them. */
export function encoderTensors(config: EncoderConfig): EncoderTensor[] {
  const { hiddenSize: hidden, intermediateSize: intermediate, embeddingSize: embedded } = config;
  const { modules } = FAMILIES[config.modelType];
  const table = (name: string, rows: number) => tensors(`embeddings.${name}`, { weight: [rows, embedded] });
  return [
    ...table('word_embeddings', config.vocabularySize),
    ...table('position_embeddings', config.positionOffset + config.maxPositions),
    ...(config.typeVocabularySize > 0 ? table('token_type_embeddings', config.typeVocabularySize) : []),
    ...layerNorm('embeddings.LayerNorm', embedded),
    ...(embedded === hidden ? [] : linear('embeddings_project', hidden, embedded)),
    ...Array.from({ length: config.layers }, (_, layer) => {
      const ours = (module: string) => `encoder.layer.${layer}.${module}`;
      const theirs = (module: string) => `${modules.layers}.${layer}.${module}`;
      return [
        ...linear(ours('attention.self.query'), hidden, hidden, theirs(modules.query)),
        ...linear(ours('attention.self.key'), hidden, hidden, theirs(modules.key)),
        ...linear(ours('attention.self.value'), hidden, hidden, theirs(modules.value)),
        ...linear(ours('attention.output.dense'), hidden, hidden, theirs(modules.attentionOutput)),
        ...layerNorm(ours('attention.output.LayerNorm'), hidden, theirs(modules.attentionLayerNorm)),
        ...linear(ours('intermediate.dense'), intermediate, hidden, theirs(modules.intermediate)),
        ...linear(ours('output.dense'), hidden, intermediate, theirs(modules.output)),
        ...layerNorm(ours('output.LayerNorm'), hidden, theirs(modules.outputLayerNorm)),
      ];
    }).flat(),
  ];
}

/** The pooler's tensors, which some checkpoints lack: a masked language model has none. Some families have none at all. */
export function poolerTensors(config: EncoderConfig): EncoderTensor[] {
  const { hasPooler } = FAMILIES[config.modelType];
  return hasPooler ? linear('pooler.dense', config.hiddenSize, config.hiddenSize) : [];
}

function linear(name: string, outputs: number, inputs: number, stored = name): EncoderTensor[] {
  return tensors(name, { weight: [outputs, inputs], bias: [outputs] }, stored);
}

function layerNorm(name: string, size: number, stored = name): EncoderTensor[] {
  return tensors(name, { weight: [size], bias: [size] }, stored);
}

/** A module's parameters by their names in it. */
function tensors(
  name: string,
  parameters: Readonly<Record<string, readonly number[]>>,
  stored = name,
): EncoderTensor[] {
  return Object.entries(parameters).map(([parameter, shape]) => ({
    name: `${name}.${parameter}`,
    storedName: `${stored}.${parameter}`,
    shape,
  }));
}
