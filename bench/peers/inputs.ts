/**
 * The inputs of all contestants, as files: whatever language one is written in, it reads the same numbers.
 *
 *   encoder/                     config.json, vocab.txt, model.safetensors: all-MiniLM-L6-v2, or its shape with random weights
 *   parameters-1.safetensors     the trained tensors' initial values for one output; -2 for two labels
 *   product.safetensors          x [512, 768], weight [768, 768] in PyTorch's order (out, in)
 *   step.safetensors             ids [32, 32], labels [32]
 *   forward.json                 batches of token ids of SST-2's first dev sentences
 *   sst2.json, rte.json, stsb.json   { kind, outputs, examples: [{ ids, typeIds, label }] } in their natural order
 *   tokenizer.json               { texts }: SST-2's training sentences
 */
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { houlsby } from '../../src/adapters/houlsby';
import { writeSafetensors } from '../../src/formats/safetensors';
import { type Checkpoint, openCheckpoint } from '../../src/models/checkpoint';
import { encoderTensors, poolerTensors } from '../../src/models/encoder-tensors';
import { directorySource } from '../../src/platform/directory';
import type { Tokenizer } from '../../src/tokenizer/tokenizer';
import { makeTokenizer } from '../../src/training/load-tokenizer';
import { Random } from '../../src/training/random';
import { syntheticConfig } from '../synthetic';
import type { TrainingData } from './inputs-format';

export const BATCH = 32;
export const LENGTH = 32;
export const FORWARD_BATCHES = 8;
export const PRODUCT = { rows: 512, inner: 768, columns: 768 } as const;

const VOCABULARY_SIZE = 30522;
const MAX_LENGTH = 128;
/** Enough for every round of the training comparison. */
const TRAINING_EXAMPLES = 80 * BATCH;

/** What the comparisons need to know of the inputs. */
export interface Inputs {
  readonly directory: string;
  /** Of all-MiniLM-L6-v2, or random. */
  readonly weights: string;
  /** UTF-8 bytes of the tokenizer's texts; undefined where the data are absent. */
  readonly textBytes: number | undefined;
  /** Of the forward pass's batches: read from SST-2, or of random lengths like it. */
  readonly sentences: string;
  /** Tokens as they are, and padded to each batch's longest. */
  readonly forwardTokens: { readonly packed: number; readonly padded: number };
  readonly data: ReadonlySet<string>;
}

/** The shared data, as the tests look for them: GRAFT_SHARED, else `shared` beside the repository. */
function sharedFile(root: string, ...parts: string[]): string | undefined {
  const path = join(process.env.GRAFT_SHARED ?? resolve(root, '..', 'shared'), ...parts);
  return existsSync(path) ? path : undefined;
}

export async function writeInputs(root: string, directory: string): Promise<Inputs> {
  mkdirSync(directory, { recursive: true });
  const genuine = process.env.GRAFT_MINILM ?? join(root, '.cache', 'minilm');
  const isGenuine = existsSync(join(genuine, 'model.safetensors'));
  const encoder = join(directory, 'encoder');
  rmSync(encoder, { recursive: true, force: true });
  if (isGenuine) symlinkSync(resolve(genuine), encoder);
  else await writeRandomEncoder(encoder, sharedFile(root, 'data', 'vocab', 'bert-base-uncased', 'vocab.txt'));

  const checkpoint = await openCheckpoint(directorySource(encoder));
  for (const outputs of [1, 2]) await writeParameters(directory, checkpoint, outputs);
  await checkpoint.close();
  writeProduct(directory);
  writeStep(directory);

  const tokenizer = await makeTokenizer(checkpoint.tokenizer);
  const dev = sharedFile(root, 'data', 'sst2', 'dev.tsv');
  const batches = forwardBatches(dev, tokenizer);
  writeFileSync(join(directory, 'forward.json'), JSON.stringify(batches));
  const train = sharedFile(root, 'data', 'sst2', 'train.tsv');
  const texts = train === undefined ? undefined : columns(train, ['sentence']).map(([text = '']) => text);
  if (texts !== undefined) writeFileSync(join(directory, 'tokenizer.json'), JSON.stringify({ texts }));
  return {
    directory,
    weights: isGenuine ? 'all-MiniLM-L6-v2' : 'MiniLM shape, random weights',
    textBytes: texts?.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
    sentences: dev === undefined ? "random texts of the lengths of SST-2's" : "SST-2's dev sentences",
    forwardTokens: {
      packed: batches.flat().reduce((sum, ids) => sum + ids.length, 0),
      padded: batches.reduce(
        (sum, batch) => sum + batch.length * Math.max(...batch.map(({ length }) => length)),
        0,
      ),
    },
    data: writeTrainingData(root, directory, tokenizer),
  };
}

async function writeRandomEncoder(directory: string, vocabulary: string | undefined): Promise<void> {
  const config = syntheticConfig('minilm', VOCABULARY_SIZE);
  mkdirSync(directory);
  const tensors = [...encoderTensors(config), ...poolerTensors(config)].map(({ name, shape }) => {
    const length = shape.reduce((product, size) => product * size, 1);
    const random = new Random(0, name);
    const isGamma = name.endsWith('LayerNorm.weight');
    const draw = () => (isGamma ? 1 : 0) + 0.1 * (random.uniform() - 0.5);
    return { name, shape, data: Float32Array.from({ length }, draw) };
  });
  writeFileSync(join(directory, 'model.safetensors'), writeSafetensors(tensors));
  writeFileSync(
    join(directory, 'config.json'),
    JSON.stringify({
      model_type: 'bert',
      hidden_size: config.hiddenSize,
      num_hidden_layers: config.layers,
      num_attention_heads: config.heads,
      intermediate_size: config.intermediateSize,
      vocab_size: config.vocabularySize,
      max_position_embeddings: config.maxPositions,
      type_vocab_size: config.typeVocabularySize,
      layer_norm_eps: config.layerNormEpsilon,
      hidden_act: config.activation,
      hidden_dropout_prob: config.hiddenDropout,
      attention_probs_dropout_prob: config.attentionDropout,
    }),
  );
  // Without a vocabulary the texts are of random ids, and any will do.
  const tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].join('\n');
  writeFileSync(join(directory, 'vocab.txt'), vocabulary === undefined ? tokens : readFileSync(vocabulary));
}

/** Larger than a training's initial values, so that every gradient is well above rounding. */
async function writeParameters(directory: string, checkpoint: Checkpoint, outputs: number): Promise<void> {
  const { config } = checkpoint;
  const initializer = {
    truncatedNormal: (name: string, length: number) => {
      const random = new Random(1, name);
      return Float32Array.from({ length }, () => random.truncatedNormal(0.02));
    },
    uniform: (_: string, length: number) => new Float32Array(length),
  };
  const parameters = houlsby({ bottleneck: 64 }).parameters({
    config,
    initializer,
    hasPooler: checkpoint.hasPooler,
    layers: [...Array(config.layers).keys()],
    pretrained: (name) => checkpoint.read(name),
  });
  const tensors: { name: string; shape: number[]; data: Float32Array }[] = [];
  for (const { name, shape, initialize } of parameters) {
    tensors.push({ name, shape: [...shape], data: await initialize() });
  }
  const places = Array.from({ length: config.layers }, (_, layer) => [
    [`layer.${layer}.attention`, `encoder.layer.${layer}.attention.output`],
    [`layer.${layer}.output`, `encoder.layer.${layer}.output`],
  ]).flat();
  for (const [place, source] of [['embeddings', 'embeddings'], ...places]) {
    for (const part of ['weight', 'bias']) {
      const data = await checkpoint.read(`${source}.LayerNorm.${part}`);
      tensors.push({ name: `${place}.layer_norm.${part}`, shape: [data.length], data });
    }
  }
  const head = initializer.truncatedNormal('classifier.weight', outputs * config.hiddenSize);
  tensors.push({ name: 'classifier.weight', shape: [outputs, config.hiddenSize], data: head });
  tensors.push({ name: 'classifier.bias', shape: [outputs], data: new Float32Array(outputs) });
  writeFileSync(join(directory, `parameters-${outputs}.safetensors`), writeSafetensors(tensors));
}

function writeProduct(directory: string): void {
  const random = new Random(2, 'product');
  const matrix = (name: string, rows: number, columns: number) => ({
    name,
    shape: [rows, columns],
    data: Float32Array.from({ length: rows * columns }, () => random.uniform() - 0.5),
  });
  const { rows, inner, columns } = PRODUCT;
  writeFileSync(
    join(directory, 'product.safetensors'),
    writeSafetensors([matrix('x', rows, inner), matrix('weight', columns, inner)]),
  );
}

function writeStep(directory: string): void {
  const random = new Random(3, 'step');
  // Ids below 2^24 are exact in f32.
  const ids = Float32Array.from({ length: BATCH * LENGTH }, () => random.below(VOCABULARY_SIZE));
  const labels = Float32Array.from({ length: BATCH }, (_, i) => i % 2);
  writeFileSync(
    join(directory, 'step.safetensors'),
    writeSafetensors([
      { name: 'ids', shape: [BATCH, LENGTH], data: ids },
      { name: 'labels', shape: [BATCH], data: labels },
    ]),
  );
}

/** Tokens of SST-2's dev sentences, special tokens included, at the 0th, 10th, … 100th percentile. */
const SST2_LENGTHS = [4, 12, 16, 19, 21, 25, 27, 30, 34, 40, 55];

function forwardBatches(dev: string | undefined, tokenizer: Tokenizer): number[][][] {
  const count = FORWARD_BATCHES * BATCH;
  const random = new Random(4, 'forward');
  const randomText = () => {
    const decile = random.below(10);
    const [from = 4, to = 55] = SST2_LENGTHS.slice(decile);
    const length = from + random.below(to - from + 1);
    return Array.from({ length }, () => random.below(VOCABULARY_SIZE));
  };
  const sequences =
    dev === undefined
      ? Array.from({ length: count }, randomText)
      : columns(dev, ['sentence'])
          .slice(0, count)
          .map(([text = '']) => [...tokenizer.encode(text, undefined, { maxLength: MAX_LENGTH }).ids]);
  return Array.from({ length: FORWARD_BATCHES }, (_, i) => sequences.slice(i * BATCH, (i + 1) * BATCH));
}

const DATA_SETS = [
  { name: 'sst2', kind: 'classification', texts: ['sentence'], label: 'label' },
  { name: 'rte', kind: 'classification', texts: ['sentence1', 'sentence2'], label: 'label' },
  { name: 'stsb', kind: 'regression', texts: ['sentence1', 'sentence2'], label: 'score' },
] as const;

function writeTrainingData(root: string, directory: string, tokenizer: Tokenizer): Set<string> {
  const written = new Set<string>();
  for (const { name, kind, texts, label } of DATA_SETS) {
    const file = sharedFile(root, 'data', name, 'train.tsv');
    if (file === undefined) continue;
    const rows = columns(file, [...texts, label]).slice(0, TRAINING_EXAMPLES);
    const labels = [...new Set(rows.map((row) => row.at(-1) ?? ''))].sort();
    const examples = rows.map((row) => {
      const [text = '', pair] = row.slice(0, -1);
      const { ids, typeIds } = tokenizer.encode(text, pair, { maxLength: MAX_LENGTH });
      const value = row.at(-1) ?? '';
      return {
        ids: [...ids],
        typeIds: [...typeIds],
        label: kind === 'regression' ? Number(value) : labels.indexOf(value),
      };
    });
    const outputs = kind === 'regression' ? 1 : labels.length;
    const data: TrainingData = { kind, outputs, examples };
    writeFileSync(join(directory, `${name}.json`), JSON.stringify(data));
    written.add(name);
  }
  return written;
}

/** The named columns of a TSV file with a header; quotes are literal. */
function columns(file: string, names: readonly string[]): string[][] {
  const [header = '', ...lines] = readFileSync(file, 'utf8').split('\n');
  const positions = names.map((name) => header.replace('\r', '').split('\t').indexOf(name));
  return lines
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const cells = line.replace('\r', '').split('\t');
      return positions.map((position) => cells[position] ?? '');
    });
}
