import type { Checkpoint } from '../src/models/checkpoint';
import type { EncoderConfig } from '../src/models/config';
import { encoderTensors, poolerTensors } from '../src/models/encoder-tensors';
import type { EncodedExample } from '../src/training/batches';
import { Random } from '../src/training/random';
import { SHAPES, type ShapeName } from './shapes';

export function syntheticConfig(name: ShapeName, vocabularySize = 1000): EncoderConfig {
  const { hiddenSize, layers, heads } = SHAPES[name];
  return {
    modelType: 'bert',
    hiddenSize,
    embeddingSize: hiddenSize,
    layers,
    heads,
    headSize: hiddenSize / heads,
    intermediateSize: 4 * hiddenSize,
    vocabularySize,
    maxPositions: 512,
    positionOffset: 0,
    typeVocabularySize: 2,
    layerNormEpsilon: 1e-12,
    activation: 'gelu',
    hiddenDropout: 0.1,
    attentionDropout: 0.1,
    classifierDropout: 0.1,
  };
}

/** An encoder of random weights: speed does not depend on their values. */
export function syntheticCheckpoint(config: EncoderConfig): Checkpoint {
  const shapes = new Map(
    [...encoderTensors(config), ...poolerTensors(config)].map(({ name, shape }) => [name, shape]),
  );
  const shapeOf = (name: string) => {
    const shape = shapes.get(name);
    if (shape === undefined) throw new RangeError(`there is no ${name}`);
    return shape;
  };
  return {
    config,
    description: 'random weights',
    tokenizer: {
      format: 'vocab.txt',
      bytes: new Uint8Array(),
      file: '',
      merges: undefined,
      tokens: 0,
      lowercase: true,
      stripAccents: undefined,
      handleChineseCharacters: true,
      addPrefixSpace: undefined,
    },
    hasPooler: poolerTensors(config).length > 0,
    has: (name) => shapes.has(name),
    shape: shapeOf,
    async read(name) {
      const values = new Float32Array(shapeOf(name).reduce((product, size) => product * size, 1));
      if (name.includes('LayerNorm')) return values.fill(name.endsWith('weight') ? 1 : 0);
      // A cheap sequence in ±0.035: BERT-large has 300 million numbers.
      let state = name.length;
      for (let i = 0; i < values.length; i++) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        values[i] = (state / 2 ** 32 - 0.5) * 0.07;
      }
      return values;
    },
    close: async () => {},
  };
}

/** `sequences` texts of `length` random tokens each. */
export function syntheticExamples(
  config: EncoderConfig,
  sequences: number,
  length: number,
): EncodedExample[] {
  const random = new Random(0, 'synthetic texts');
  return Array.from({ length: sequences }, (_, index) => ({
    ids: Uint32Array.from({ length }, () => random.below(config.vocabularySize)),
    typeIds: new Uint8Array(length),
    labels: [index % 2],
    weight: 1,
  }));
}
