/** An encoder's `config.json`, in Hugging Face's names; Google's `bert_config.json` has the same as BERT's. */
import { FileFormatError, UnsupportedModelError } from '../errors';
import { type JsonObject, parseJsonObject, show } from '../formats/json';
import { FAMILIES } from './families';
import type { ModelFamily, ModelType } from './families/family';

/** Sizes and settings of an encoder. */
export interface EncoderConfig {
  /** `model_type` of the file. */
  readonly modelType: ModelType;
  /** Width of a token's hidden state. */
  readonly hiddenSize: number;
  /** Columns of the embedding tables; `hiddenSize` for all but some ELECTRAs. */
  readonly embeddingSize: number;
  /** Encoder layers. */
  readonly layers: number;
  /** Attention heads a layer. */
  readonly heads: number;
  /** hiddenSize / heads. */
  readonly headSize: number;
  /** Width inside the feed-forward part. */
  readonly intermediateSize: number;
  /** Rows of the word embeddings. */
  readonly vocabularySize: number;
  /** Most tokens of a sequence. */
  readonly maxPositions: number;
  /** The position table's row of a sequence's first token. */
  readonly positionOffset: number;
  /** Kinds of token: the first and the second text of a pair. 0 where the family has no token types. */
  readonly typeVocabularySize: number;
  /** ε under LayerNorm's root. */
  readonly layerNormEpsilon: number;
  /** The two forms of GELU: with erf, and with tanh. */
  readonly activation: 'gelu' | 'gelu_tanh';
  /** Probabilities of dropout in training, after projections and in the embeddings. */
  readonly hiddenDropout: number;
  /** Of attention's weights. */
  readonly attentionDropout: number;
  /** Before the head; `hiddenDropout` where the file does not say. */
  readonly classifierDropout: number;
}

/** Hugging Face's names of the two forms of GELU: with erf, and with Google's approximation by tanh. */
const ACTIVATIONS: Readonly<Record<string, EncoderConfig['activation']>> = {
  gelu: 'gelu',
  gelu_python: 'gelu',
  gelu_new: 'gelu_tanh',
  gelu_fast: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
  gelu_python_tanh: 'gelu_tanh',
};

/** Attention kernels hold a head's row in registers, in vectors of four. */
const MAX_HEAD_SIZE = 128;

const LARGEST_HIDDEN_SIZE = 1 << 14;

/**
 * Reads and checks `bytes`. A missing key gets the default of transformers' configuration class, except for the sizes, which that
 * always writes.
 * Throws FileFormatError naming the key, UnsupportedModelError for a sound file of a model that Graft cannot run.
 */
export function parseEncoderConfig(bytes: Uint8Array, file: string): EncoderConfig {
  const json = parseJsonObject(bytes, file);
  const family = findFamily(json, file);
  const positionEmbedding = json.position_embedding_type ?? 'absolute';
  if (positionEmbedding !== 'absolute') {
    throw new UnsupportedModelError(
      `${file}: position_embedding_type ${show(positionEmbedding)} is not supported`,
      'Graft knows "absolute"',
    );
  }
  if (json.is_decoder === true) {
    throw new UnsupportedModelError(`${file}: is_decoder is true`, 'Graft runs encoders only');
  }
  const read = new ConfigReader(json, file);
  const { keys } = family;
  const hiddenSize = read.size(keys.hiddenSize, LARGEST_HIDDEN_SIZE);
  const heads = read.size(keys.heads, 1 << 10);
  checkHeads(file, keys, hiddenSize, heads);
  const hiddenDropout = read.probability(keys.hiddenDropout, 0.1);
  return {
    modelType: family.modelType,
    hiddenSize,
    embeddingSize:
      keys.embeddingSize === undefined ? hiddenSize : read.size(keys.embeddingSize, LARGEST_HIDDEN_SIZE, 128),
    layers: read.size(keys.layers, 1 << 8),
    heads,
    headSize: hiddenSize / heads,
    intermediateSize: read.size(keys.intermediateSize, 1 << 16),
    vocabularySize: read.size('vocab_size', 1 << 22),
    ...readPositions(read, family, file),
    typeVocabularySize:
      keys.typeVocabularySize === undefined ? 0 : read.size(keys.typeVocabularySize, 1 << 10, 2),
    layerNormEpsilon:
      keys.layerNormEpsilon === undefined ? 1e-12 : read.epsilon(keys.layerNormEpsilon, 1e-12),
    activation: parseActivation(json, keys.activation, file),
    hiddenDropout,
    attentionDropout: read.probability(keys.attentionDropout, 0.1),
    classifierDropout: read.probability(keys.classifierDropout, family.classifierDropout ?? hiddenDropout),
  };
}

function findFamily(json: JsonObject, file: string): ModelFamily {
  const modelType = json.model_type ?? 'bert';
  const family = Object.values(FAMILIES).find((candidate) => candidate.modelType === modelType);
  if (family === undefined) {
    throw new UnsupportedModelError(
      `${file}: model_type ${show(modelType)} is not supported`,
      `Graft runs encoders of model_type ${Object.keys(FAMILIES).join(', ')}, for example google-bert/bert-base-uncased`,
    );
  }
  return family;
}

/** The file counts the rows of the table, of which RoBERTa leaves the first ones unused. */
function readPositions(read: ConfigReader, family: ModelFamily, file: string) {
  const rows = read.size('max_position_embeddings', 1 << 16, 512);
  const positionOffset = family.countsPositionsFromPadding ? read.id('pad_token_id', 1) + 1 : 0;
  if (rows <= positionOffset) {
    throw new FileFormatError(
      file,
      'max_position_embeddings',
      `${rows} rows leave no position after pad_token_id ${positionOffset - 1}`,
    );
  }
  return { maxPositions: rows - positionOffset, positionOffset };
}

function checkHeads(file: string, keys: ModelFamily['keys'], hiddenSize: number, heads: number): void {
  if (hiddenSize % heads !== 0) {
    throw new FileFormatError(
      file,
      keys.heads,
      `${heads} heads do not divide ${keys.hiddenSize} ${hiddenSize}`,
    );
  }
  const headSize = hiddenSize / heads;
  if (headSize % 4 !== 0 || headSize > MAX_HEAD_SIZE) {
    throw new UnsupportedModelError(
      `${file}: ${keys.hiddenSize} ${hiddenSize} with ${heads} heads makes heads of ${headSize}`,
      `Graft runs heads of a multiple of 4, at most ${MAX_HEAD_SIZE}`,
    );
  }
}

function parseActivation(json: JsonObject, key: string, file: string): EncoderConfig['activation'] {
  const name = json[key] ?? 'gelu';
  const activation =
    typeof name === 'string' && Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
  if (activation === undefined) {
    throw new UnsupportedModelError(
      `${file}: ${key} ${show(name)} is not supported`,
      `Graft knows ${Object.keys(ACTIVATIONS).join(', ')}`,
    );
  }
  return activation;
}

/** Typed reads of one object's keys. `null` counts as missing, as it does in Hugging Face's files. */
class ConfigReader {
  readonly #json: JsonObject;
  readonly #file: string;

  constructor(json: JsonObject, file: string) {
    this.#json = json;
    this.#file = file;
  }

  /** An integer from 1 to `largest`. The bound is far above any real model; it keeps products of sizes exact and allocations sane. */
  size(key: string, largest: number, fallback?: number): number {
    const isSize = (value: number) => Number.isInteger(value) && value >= 1 && value <= largest;
    return this.#number(key, isSize, `an integer from 1 to ${largest}`, fallback);
  }

  /** A token's id. */
  id(key: string, fallback: number): number {
    const isId = (value: number) => Number.isInteger(value) && value >= 0 && value < 1 << 22;
    return this.#number(key, isId, 'a token id', fallback);
  }

  probability(key: string, fallback: number): number {
    const isProbability = (value: number) => value >= 0 && value < 1;
    return this.#number(key, isProbability, 'a probability from 0 to below 1', fallback);
  }

  epsilon(key: string, fallback: number): number {
    return this.#number(key, (value) => value > 0 && value < 1, 'a number between 0 and 1', fallback);
  }

  #number(
    key: string,
    isSound: (value: number) => boolean,
    expected: string,
    fallback: number | undefined,
  ): number {
    const value = this.#json[key] ?? fallback;
    if (typeof value !== 'number' || !isSound(value)) {
      throw new FileFormatError(this.#file, key, `${expected} was expected, found ${show(value)}`);
    }
    return value;
  }
}
