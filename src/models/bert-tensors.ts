/** The tensors of a BERT encoder, by their names in Hugging Face's BertModel. */
import type { EncoderConfig } from './config';

export interface TensorShape {
  readonly name: string;
  /** PyTorch's order: a linear layer's weight is [out, in]. */
  readonly shape: readonly number[];
}

/** All tensors that an encoder needs, in the order in which a forward pass meets them. */
export function encoderTensors(config: EncoderConfig): TensorShape[] {
  const { hiddenSize: hidden, intermediateSize: intermediate } = config;
  const tensors: TensorShape[] = [
    { name: 'embeddings.word_embeddings.weight', shape: [config.vocabularySize, hidden] },
    { name: 'embeddings.position_embeddings.weight', shape: [config.maxPositions, hidden] },
    { name: 'embeddings.token_type_embeddings.weight', shape: [config.typeVocabularySize, hidden] },
    ...layerNorm('embeddings.LayerNorm', hidden),
  ];
  for (let layer = 0; layer < config.layers; layer++) {
    const prefix = `encoder.layer.${layer}`;
    tensors.push(
      ...linear(`${prefix}.attention.self.query`, hidden, hidden),
      ...linear(`${prefix}.attention.self.key`, hidden, hidden),
      ...linear(`${prefix}.attention.self.value`, hidden, hidden),
      ...linear(`${prefix}.attention.output.dense`, hidden, hidden),
      ...layerNorm(`${prefix}.attention.output.LayerNorm`, hidden),
      ...linear(`${prefix}.intermediate.dense`, intermediate, hidden),
      ...linear(`${prefix}.output.dense`, hidden, intermediate),
      ...layerNorm(`${prefix}.output.LayerNorm`, hidden),
    );
  }
  return tensors;
}

/** The pooler's tensors, which some checkpoints lack: a masked language model has none. */
export function poolerTensors(config: EncoderConfig): TensorShape[] {
  return linear('pooler.dense', config.hiddenSize, config.hiddenSize);
}

function linear(name: string, outputs: number, inputs: number): TensorShape[] {
  return [
    { name: `${name}.weight`, shape: [outputs, inputs] },
    { name: `${name}.bias`, shape: [outputs] },
  ];
}

function layerNorm(name: string, size: number): TensorShape[] {
  return [
    { name: `${name}.weight`, shape: [size] },
    { name: `${name}.bias`, shape: [size] },
  ];
}
