/** An encoder's `config.json`, in Hugging Face's names; Google's `bert_config.json` has the same. */
import { FileFormatError, UnsupportedModelError } from '../errors';
import { type JsonObject, parseJsonObject, show } from '../formats/json';

/** Sizes and settings of an encoder. */
export interface EncoderConfig {
  /** `model_type` of the file. */
  readonly modelType: 'bert';
  /** Width of a token's hidden state. */
  readonly hiddenSize: number;
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
  /** Kinds of token: the first and the second text of a pair. */
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

/**
 * Reads and checks `bytes`. A missing key gets the default of transformers' BertConfig, except for the sizes, which that
 * always writes.
 * Throws FileFormatError naming the key, UnsupportedModelError for a sound file of a model that Graft cannot run.
 */
export function parseEncoderConfig(bytes: Uint8Array, file: string): EncoderConfig {
  const json = parseJsonObject(bytes, file);
  const modelType = json.model_type ?? 'bert';
  if (modelType !== 'bert') {
    throw new UnsupportedModelError(
      `${file}: model_type ${show(modelType)} is not supported`,
      'Graft runs encoders of model_type "bert", for example google-bert/bert-base-uncased',
    );
  }
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
  const hiddenSize = read.size('hidden_size', 1 << 14);
  const heads = read.size('num_attention_heads', 1 << 10);
  checkHeads(file, hiddenSize, heads);
  const hiddenDropout = read.probability('hidden_dropout_prob', 0.1);
  return {
    modelType: 'bert',
    hiddenSize,
    layers: read.size('num_hidden_layers', 1 << 8),
    heads,
    headSize: hiddenSize / heads,
    intermediateSize: read.size('intermediate_size', 1 << 16),
    vocabularySize: read.size('vocab_size', 1 << 22),
    maxPositions: read.size('max_position_embeddings', 1 << 16, 512),
    typeVocabularySize: read.size('type_vocab_size', 1 << 10, 2),
    layerNormEpsilon: read.epsilon('layer_norm_eps', 1e-12),
    activation: parseActivation(json, file),
    hiddenDropout,
    attentionDropout: read.probability('attention_probs_dropout_prob', 0.1),
    classifierDropout: read.probability('classifier_dropout', hiddenDropout),
  };
}

function checkHeads(file: string, hiddenSize: number, heads: number): void {
  if (hiddenSize % heads !== 0) {
    throw new FileFormatError(
      file,
      'num_attention_heads',
      `${heads} heads do not divide hidden_size ${hiddenSize}`,
    );
  }
  const headSize = hiddenSize / heads;
  if (headSize % 4 !== 0 || headSize > MAX_HEAD_SIZE) {
    throw new UnsupportedModelError(
      `${file}: hidden_size ${hiddenSize} with ${heads} heads makes heads of ${headSize}`,
      `Graft runs heads of a multiple of 4, at most ${MAX_HEAD_SIZE}`,
    );
  }
}

function parseActivation(json: JsonObject, file: string): EncoderConfig['activation'] {
  const name = json.hidden_act ?? 'gelu';
  const activation =
    typeof name === 'string' && Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
  if (activation === undefined) {
    throw new UnsupportedModelError(
      `${file}: hidden_act ${show(name)} is not supported`,
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
