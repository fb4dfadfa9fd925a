/** A pretrained encoder in Hugging Face's layout: config.json, the weights, a vocabulary. */
import { FileAccessError, FileFormatError } from '../errors';
import { openWeights } from '../formats/open-weights';
import { FLOAT_TYPES, isFloatType, readFiniteFloat32, type TensorFile } from '../formats/tensor-file';
import { type FileSource, type OpenOptions, readFile } from '../platform/files';
import { type EncoderConfig, parseEncoderConfig } from './config';
import { type EncoderTensor, encoderTensors, poolerTensors } from './encoder-tensors';
import { FAMILIES } from './families';
import type { ModelFamily } from './families/family';
import { readTokenizerFiles, type TokenizerFiles } from './tokenizer-files';

export interface Checkpoint {
  readonly config: EncoderConfig;
  /** The source's: for messages. */
  readonly description: string;
  readonly tokenizer: TokenizerFiles;
  readonly hasPooler: boolean;
  /** Names are those of BertModel without a prefix, whatever the family: 'encoder.layer.0.attention.self.query.weight'. */
  has(name: string): boolean;
  shape(name: string): readonly number[];
  /**
   * The tensor in f32, row-major. All names and shapes were checked when the checkpoint was opened.
   * Throws FileFormatError for an element that is not finite, RangeError for a name that `has` denies.
   */
  read(name: string): Promise<Float32Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** In the order in which they are looked for: a pickle only where nothing simpler is there. */
export const WEIGHTS: readonly string[] = ['model.safetensors', 'pytorch_model.bin'];

/** A tensor of the encoder, and its name in the file. */
interface StoredTensor {
  readonly storedName: string;
  readonly shape: readonly number[];
}

/**
 * Opens and checks everything but the weights' values, which `read` checks; downloads what is not there yet.
 * Throws FileAccessError, FileFormatError or UnsupportedModelError, naming the file and the place.
 */
export async function openCheckpoint(source: FileSource, options: OpenOptions = {}): Promise<Checkpoint> {
  const configFile = await readFile(source, 'config.json', options);
  if (configFile === undefined) {
    throw new FileAccessError(
      'config.json',
      `not in ${source.description}`,
      'A checkpoint has config.json, model.safetensors, and vocab.txt, vocab.json with merges.txt, or tokenizer.json',
    );
  }
  const config = parseEncoderConfig(configFile.bytes, configFile.name);
  const tokenizer = await readTokenizerFiles(source, options);
  if (tokenizer.tokens > config.vocabularySize) {
    throw new FileFormatError(
      tokenizer.file,
      undefined,
      `it has ${tokenizer.tokens} tokens, but ${configFile.name} says vocab_size ${config.vocabularySize}`,
      'The vocabulary belongs to another checkpoint: take the one that was trained with these weights',
    );
  }
  const weights = await openWeights(source, WEIGHTS, options);
  if (weights === undefined) {
    throw new FileAccessError(
      'model.safetensors',
      `neither it nor pytorch_model.bin, nor an index of shards of one of them, is in ${source.description}`,
      'Graft reads these two formats: others are converted by loading and saving the model once with transformers',
    );
  }
  try {
    return makeCheckpoint(source, config, tokenizer, weights);
  } catch (error) {
    await weights.close();
    throw error;
  }
}

function makeCheckpoint(
  source: FileSource,
  config: EncoderConfig,
  tokenizer: TokenizerFiles,
  weights: TensorFile,
): Checkpoint {
  const prefix = findPrefix(weights, FAMILIES[config.modelType]);
  const pooler = poolerTensors(config);
  const hasPooler = pooler.some(({ storedName }) => findStored(weights, prefix, storedName) !== undefined);
  const tensors = new Map<string, StoredTensor>();
  for (const tensor of [...encoderTensors(config), ...(hasPooler ? pooler : [])]) {
    tensors.set(tensor.name, checkStored(weights, prefix, tensor));
  }
  const find = (name: string): StoredTensor => {
    const tensor = tensors.get(name);
    if (tensor === undefined) {
      throw new RangeError(`the checkpoint has no tensor ${name}`);
    }
    return tensor;
  };
  return {
    config,
    description: source.description,
    tokenizer,
    hasPooler,
    has: (name) => tensors.has(name),
    shape: (name) => find(name).shape,
    read: async (name) => readFiniteFloat32(weights, find(name).storedName),
    close: () => weights.close(),
  };
}

/** A bare BertModel has no prefix, a BertFor… has 'bert.'. */
function findPrefix(weights: TensorFile, { prefix, className }: ModelFamily): string {
  const probe = 'embeddings.word_embeddings.weight';
  const found = ['', prefix].find((candidate) => weights.info(candidate + probe) !== undefined);
  if (found === undefined) {
    throw new FileFormatError(
      weights.file,
      undefined,
      `neither ${probe} nor ${prefix}${probe} is in it`,
      `These are not the weights of a ${className}Model`,
    );
  }
  return found;
}

/** LayerNorm's parameters as checkpoints from TensorFlow name them. */
const OLD_NAMES: readonly (readonly [string, string])[] = [
  ['LayerNorm.weight', 'LayerNorm.gamma'],
  ['LayerNorm.bias', 'LayerNorm.beta'],
];

function findStored(weights: TensorFile, prefix: string, name: string): string | undefined {
  const [newName, oldName] = OLD_NAMES.find(([ending]) => name.endsWith(ending)) ?? ['', ''];
  const candidates = [name, name.slice(0, name.length - newName.length) + oldName];
  return candidates
    .map((candidate) => prefix + candidate)
    .find((stored) => weights.info(stored) !== undefined);
}

function checkStored(weights: TensorFile, prefix: string, tensor: EncoderTensor): StoredTensor {
  const storedName = findStored(weights, prefix, tensor.storedName);
  const info = storedName === undefined ? undefined : weights.info(storedName);
  const place = `tensor ${storedName ?? prefix + tensor.storedName}`;
  const expected = `[${tensor.shape.join(', ')}]`;
  if (storedName === undefined || info === undefined) {
    throw new FileFormatError(weights.file, place, `missing; config.json asks for it with shape ${expected}`);
  }
  if (info.shape.join() !== tensor.shape.join()) {
    throw new FileFormatError(
      weights.file,
      place,
      `its shape is [${info.shape.join(', ')}]; config.json asks for ${expected}`,
    );
  }
  if (!isFloatType(info.dtype)) {
    throw new FileFormatError(
      weights.file,
      place,
      `its dtype is ${info.dtype}`,
      `Graft reads weights in ${FLOAT_TYPES.join(', ')}`,
    );
  }
  return { storedName, shape: tensor.shape };
}
