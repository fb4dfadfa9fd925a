import type { DeviceBuffer } from '../../src/backends/schedule';
import type { EncoderConfig } from '../../src/models/config';
import type { FrozenEncoder, FrozenLinear } from '../../src/models/frozen-encoder';
import { type FrozenMatrix, frozen, frozenMatrix } from '../../src/scheduler/tape';

export const BERT_BASE: EncoderConfig = {
  modelType: 'bert',
  hiddenSize: 768,
  embeddingSize: 768,
  layers: 12,
  heads: 12,
  headSize: 64,
  intermediateSize: 3072,
  vocabularySize: 30_522,
  maxPositions: 512,
  positionOffset: 0,
  typeVocabularySize: 2,
  layerNormEpsilon: 1e-12,
  activation: 'gelu',
  hiddenDropout: 0.1,
  attentionDropout: 0.1,
  classifierDropout: 0.1,
};

/** A buffer on no device: enough to record and plan a schedule. */
export const nowhere: DeviceBuffer = { label: 'nowhere', byteLength: 0, dispose() {} };

/** An encoder of the given sizes without weights. */
export function plannedEncoder(config: EncoderConfig): FrozenEncoder {
  const { hiddenSize, intermediateSize } = config;
  const matrix = (rows: number): FrozenMatrix => ({ rows, storage: 'f32', scales: undefined });
  const linear = (outputs: number, inputs: number): FrozenLinear => ({
    weight: frozenMatrix('weight', nowhere, inputs, matrix(outputs)),
    bias: frozen('bias', nowhere, 1, outputs),
  });
  const table = (rows: number) => frozen('embeddings', nowhere, rows, hiddenSize);
  const values = { weight: new Float32Array(hiddenSize).fill(1), bias: new Float32Array(hiddenSize) };
  const layers = Array.from({ length: config.layers }, () => ({
    'attention.query_key_value': linear(3 * hiddenSize, hiddenSize),
    'attention.output': linear(hiddenSize, hiddenSize),
    intermediate: linear(intermediateSize, hiddenSize),
    output: linear(hiddenSize, intermediateSize),
  }));
  const places = layers.flatMap((_, layer) => [`layer.${layer}.attention`, `layer.${layer}.output`]);
  return {
    config,
    embeddings: {
      word: [
        { tensor: frozenMatrix('words', nowhere, hiddenSize, matrix(config.vocabularySize)), firstRow: 0 },
      ],
      position: table(config.maxPositions),
      type: table(config.typeVocabularySize),
    },
    embeddingsProject: undefined,
    layers,
    pooler: linear(hiddenSize, hiddenSize),
    layerNorms: new Map(['embeddings', ...places].map((place) => [place, values])),
    parameterCount: 0,
    byteLength: 0,
    read: async () => new Float32Array(0),
    dispose() {},
  };
}
