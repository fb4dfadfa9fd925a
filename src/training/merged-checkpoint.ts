/** A task folded into its backbone: a whole checkpoint of BertForSequenceClassification, for programs without adapters. */
import type { AdapterMethod } from '../adapters/method';
import { adapterMethod } from '../adapters/methods';
import { AdapterMismatchError, UnsupportedModelError } from '../errors';
import { parseJsonObject } from '../formats/json';
import type { NamedTensor } from '../formats/named-tensor';
import type { WeightsOptions } from '../formats/save-options';
import type { TaskTensor } from '../formats/task';
import type { SavedTask } from '../formats/task-layouts';
import { writeWeights } from '../formats/write-weights';
import type { Checkpoint } from '../models/checkpoint';
import { checkpointName } from '../models/checkpoint-names';
import { PRODUCTS, type ProductPlace, productParameters, productSizes } from '../models/encoder-parameters';
import { encoderTensors, poolerTensors } from '../models/encoder-tensors';
import { type FileSource, readFile } from '../platform/files';

/** Copied as they are, where they are there. */
const TOKENIZER_FILES = ['vocab.txt', 'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json'];

/** Named as in the checkpoint. */
type Weights = Map<string, TaskTensor>;

/**
 * config.json, the weights and the tokenizer's files, in Hugging Face's layout.
 * Throws UnsupportedModelError where the method computes what no weights of BERT can, or the backbone has no pooler, which
 * BertForSequenceClassification has; AdapterMismatchError for a tensor that is missing or misshapen; OptionError for a number that
 * f16 cannot hold.
 */
export async function mergeTask(
  task: SavedTask,
  checkpoint: Checkpoint,
  source: FileSource,
  options: WeightsOptions = {},
): Promise<Record<string, Uint8Array<ArrayBuffer>>> {
  if (PROBLEM_TYPES[task.taskKind] === undefined) {
    throw new UnsupportedModelError(
      `a task for ${task.taskKind} is no classifier of texts, which merged checkpoints are`,
      'Save the task as an adapter',
    );
  }
  if (checkpoint.config.modelType !== 'bert') {
    throw new UnsupportedModelError(
      `${checkpoint.description} is a "${checkpoint.config.modelType}"; only a BERT's classifier has a head as Graft's`,
      'Save the task as an adapter',
    );
  }
  if (!checkpoint.hasPooler) {
    throw new UnsupportedModelError(
      `${checkpoint.description} has no pooler, which BertForSequenceClassification computes with`,
      'Save the task as an adapter',
    );
  }
  const method = adapterMethod(task.method, task.options);
  if (method.attach !== undefined && method.merge === undefined) {
    throw new UnsupportedModelError(
      `${method.kind} cannot be folded into the backbone: it computes what no weights of BERT can`,
      'Save the task as an adapter',
    );
  }
  const { layers, hiddenSize } = checkpoint.config;
  const beyond = task.adapterLayers.find((layer) => layer >= layers);
  if (beyond !== undefined) {
    throw new AdapterMismatchError(
      `${task.name} adapts layer ${beyond}; the backbone has ${layers}, counted from 0`,
    );
  }
  const weights = await readEncoder(checkpoint);
  replace(task, weights);
  fold(task, method, checkpoint, weights);
  const outputs = task.taskKind === 'regression' ? 1 : task.labels.length;
  const tensors: NamedTensor[] = [
    ...[...weights].map(([name, tensor]) => ({ name: `bert.${name}`, ...tensor })),
    { name: 'classifier.weight', ...tensorOf(task, 'classifier.weight', [outputs, hiddenSize]) },
    { name: 'classifier.bias', ...tensorOf(task, 'classifier.bias', [outputs]) },
  ];
  const files: Record<string, Uint8Array<ArrayBuffer>> = {
    'config.json': await describeModel(task, source, options),
    [options.container === 'bin' ? 'pytorch_model.bin' : 'model.safetensors']: writeWeights(tensors, options),
  };
  for (const name of TOKENIZER_FILES) {
    const file = await readFile(source, name);
    if (file !== undefined) files[name] = file.bytes;
  }
  return files;
}

async function readEncoder(checkpoint: Checkpoint): Promise<Weights> {
  const weights: Weights = new Map();
  for (const { name, shape } of [...encoderTensors(checkpoint.config), ...poolerTensors(checkpoint.config)]) {
    weights.set(name, { shape, data: await checkpoint.read(name) });
  }
  return weights;
}

/** What a task trains under the encoder's own names takes the place of that. */
function replace(task: SavedTask, weights: Weights): void {
  for (const name of task.tensors.keys()) {
    const stored = checkpointName(name) ?? '';
    const { shape } = weights.get(stored) ?? {};
    if (shape !== undefined) weights.set(stored, tensorOf(task, name, shape));
  }
}

/** What the method does to products. */
function fold(task: SavedTask, method: AdapterMethod, { config }: Checkpoint, weights: Weights): void {
  const parameter = parametersOf(task, method, config);
  for (const layer of task.adapterLayers) {
    for (const product of PRODUCTS) {
      const place: ProductPlace = { layer, product };
      const merge = method.merge?.(place);
      if (merge === undefined) continue;
      const { weight, bias } = productParameters(place, config);
      const tensors = [weight, bias].map(({ name, shape, parts = [{ name, shape }] }) =>
        parts.map((part) => weights.get(checkpointName(part.name) ?? '')?.data ?? new Float32Array(0)),
      );
      const [merged = new Float32Array(0), mergedBias = new Float32Array(0)] = tensors.map(joined);
      merge({ weight: merged, bias: mergedBias, inputs: productSizes(product, config).inputs }, parameter);
      for (const [index, whole] of [merged, mergedBias].entries()) {
        let from = 0;
        for (const part of tensors[index] ?? []) {
          part.set(whole.subarray(from, from + part.length));
          from += part.length;
        }
      }
    }
  }
}

/** The method's parameters by their names, and by those of their parts. Throws AdapterMismatchError where one is missing or misshapen. */
function parametersOf(
  task: SavedTask,
  method: AdapterMethod,
  config: Checkpoint['config'],
): (name: string) => Float32Array {
  const nothing = () => {
    throw new RangeError('no initial value is needed here');
  };
  const specs = method.parameters({
    config,
    hasPooler: true,
    layers: task.adapterLayers,
    initializer: { truncatedNormal: nothing, uniform: nothing },
    pretrained: nothing,
  });
  const values = new Map<string, Float32Array>();
  for (const { name, shape, parts = [{ name, shape }] } of specs) {
    const pieces = parts.map((part) => tensorOf(task, part.name, part.shape).data);
    parts.forEach((part, index) => {
      values.set(part.name, pieces[index] ?? new Float32Array(0));
    });
    values.set(name, joined(pieces));
  }
  return (name) => {
    const value = values.get(name);
    if (value === undefined) throw new RangeError(`${method.kind} has no parameter ${name}`);
    return value;
  };
}

function tensorOf({ name: task, tensors }: SavedTask, name: string, shape: readonly number[]): TaskTensor {
  const tensor = tensors.get(name);
  if (tensor?.shape.join() === shape.join()) return tensor;
  const found = tensor === undefined ? 'nothing' : `[${tensor.shape.join(', ')}]`;
  throw new AdapterMismatchError(`${task}: ${name} needs shape [${shape.join(', ')}], found ${found}`);
}

/** One behind the other. */
function joined(pieces: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const piece of pieces) {
    whole.set(piece, end);
    end += piece.length;
  }
  return whole;
}

/** transformers' names for the kinds of a …ForSequenceClassification. */
const PROBLEM_TYPES: Readonly<Partial<Record<SavedTask['taskKind'], string>>> = {
  classification: 'single_label_classification',
  'multi-label': 'multi_label_classification',
  regression: 'regression',
};

/** The backbone's config.json with what transformers wants to know of a classifier. */
async function describeModel(
  { taskKind, labels }: SavedTask,
  source: FileSource,
  { dtype = 'f32' }: WeightsOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const file = await readFile(source, 'config.json');
  const original = file === undefined ? {} : parseJsonObject(file.bytes, file.name);
  // transformers' own name for the only output of a regression.
  const names = taskKind === 'regression' ? ['LABEL_0'] : labels;
  const config = {
    ...original,
    architectures: ['BertForSequenceClassification'],
    id2label: Object.fromEntries(names.map((label, id) => [id, label])),
    label2id: Object.fromEntries(names.map((label, id) => [label, id])),
    model_type: 'bert',
    problem_type: PROBLEM_TYPES[taskKind],
    torch_dtype: dtype === 'f16' ? 'float16' : 'float32',
  };
  return new TextEncoder().encode(`${JSON.stringify(config, undefined, 2)}\n`);
}
