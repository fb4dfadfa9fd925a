/** Reading LoRA and (IA)³ that Python's `peft` trained on BERT for classification of sequences. */
import { FileFormatError, UnsupportedModelError } from '../errors';
import { type FileSource, type OpenOptions, readFile } from '../platform/files';
import type { GraftFiles } from './graft';
import { isJsonObject, type JsonObject, parseJsonObject, show } from './json';
import {
  ENCODER_PREFIX,
  GRAFT_CONFIG,
  IA3_VECTORS,
  MODULES,
  outputName,
  PEFT_PREFIX,
  PEFT_WEIGHTS,
  type PeftPlace,
  parseStoredName,
  storedName,
  TORCH_PEFT_WEIGHTS,
  vectorShape,
} from './peft-layout';
import {
  type ConfigFile,
  FEWEST_LABELS,
  familyOf,
  type LayoutFamily,
  readTensors,
  requireFit,
  requireWeights,
  type TaskHost,
  type TaskTensor,
} from './task';
import type { TensorFile } from './tensor-file';

/** Whether an adapter_config.json is of this layout. */
export function isPeftLayout({ json }: ConfigFile): boolean {
  return json.peft_type !== undefined;
}

/**
 * Throws FileAccessError where a file is missing, FileFormatError where one is damaged, UnsupportedModelError for another method
 * or a variant of one, AdapterMismatchError where it was trained on a backbone of another width or depth.
 */
export async function readPeft(
  source: FileSource,
  config: ConfigFile,
  host: TaskHost,
  options: OpenOptions,
): Promise<GraftFiles> {
  const family = requireBert(config, host);
  const own = await readFile(source, GRAFT_CONFIG, options);
  const graft = own === undefined ? {} : parseJsonObject(own.bytes, own.name);
  const weights = await requireWeights(source, [PEFT_WEIGHTS, TORCH_PEFT_WEIGHTS], options);
  try {
    const file = new PeftFile(weights);
    const head = await file.readHead();
    const { outputs, hiddenSize } = head;
    const method = await readMethod(config, file, hiddenSize);
    const layers = countLayers(graft, method.adapterLayers, host);
    requireFit(source, hiddenSize, layers, host);
    return {
      name: typeof graft.name === 'string' && graft.name !== '' ? graft.name : 'task',
      family,
      hiddenSize,
      embeddingSize: hiddenSize,
      hasPooler: true,
      layers,
      method: method.method,
      options: method.options,
      adapterLayers: method.adapterLayers,
      layerNorms: false,
      ...parseLabels(graft, outputs, own?.name ?? config.file),
      settings: isJsonObject(graft.settings) ? graft.settings : {},
      tensors: new Map([...method.tensors, ...head.tensors]),
    };
  } finally {
    await weights.close();
  }
}

/**
 * `…ForSequenceClassification` is one linear layer on a pooler for BERT alone; the heads of other families are not Graft's.
 * Throws UnsupportedModelError for another backbone.
 */
function requireBert(config: ConfigFile, host: TaskHost): LayoutFamily {
  const family = familyOf({ ...config, json: { model_type: 'bert' } }, host);
  if (!('families' in host) && !host.hasPooler) {
    throw new UnsupportedModelError(
      `${config.file}: an adapter of peft has a head on a pooler, which ${host.description} has not`,
    );
  }
  return family;
}

/** The tensors under the names that they have in the encoder. */
class PeftFile {
  readonly weights: TensorFile;
  readonly #prefix: string;
  readonly places: readonly PeftPlace[];

  /** Throws UnsupportedModelError for a tensor that belongs neither to the methods nor to the head. */
  constructor(weights: TensorFile) {
    this.weights = weights;
    const names = weights.names();
    this.#prefix = names.some((name) => name.startsWith(PEFT_PREFIX + ENCODER_PREFIX))
      ? PEFT_PREFIX + ENCODER_PREFIX
      : PEFT_PREFIX;
    this.places = names.flatMap((name) => {
      if (HEAD.some((head) => name === PEFT_PREFIX + head)) return [];
      const place = name.startsWith(this.#prefix)
        ? parseStoredName(name.slice(this.#prefix.length))
        : undefined;
      if (place !== undefined) return [place];
      throw new UnsupportedModelError(
        `${weights.file}: tensor ${show(name)} belongs to no product of BERT's layers, and not to a linear head`,
      );
    });
    if (this.places.length === 0) {
      throw new FileFormatError(weights.file, undefined, 'no tensor of a method is in it');
    }
  }

  /** Ascending. */
  get layers(): readonly number[] {
    return [...new Set(this.places.map(({ layer }) => layer))].sort((a, b) => a - b);
  }

  shape(place: PeftPlace): readonly number[] | undefined {
    return this.weights.info(this.#stored(place))?.shape;
  }

  async read(name: string, place: PeftPlace, shape: readonly number[]): Promise<TaskTensor> {
    const tensors = await readTensors(this.weights, [{ name, storedName: this.#stored(place), shape }]);
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new RangeError(`${name} was just read`);
    return tensor;
  }

  async readHead(): Promise<{ outputs: number; hiddenSize: number; tensors: Map<string, TaskTensor> }> {
    const shape = this.weights.info(`${PEFT_PREFIX}${HEAD[0]}`)?.shape ?? [];
    const [outputs = 0, hiddenSize = 0] = shape;
    if (shape.length !== 2 || outputs === 0 || hiddenSize === 0) {
      throw new FileFormatError(
        this.weights.file,
        `tensor ${PEFT_PREFIX}${HEAD[0]}`,
        `a matrix [labels, hidden] was expected, found ${shape.length === 0 ? 'nothing' : show(shape)}`,
        "Graft runs tasks with the head of BertForSequenceClassification: save it with task_type='SEQ_CLS'",
      );
    }
    const layout = [
      { name: HEAD[0], storedName: `${PEFT_PREFIX}${HEAD[0]}`, shape },
      { name: HEAD[1], storedName: `${PEFT_PREFIX}${HEAD[1]}`, shape: [outputs] },
    ];
    return { outputs, hiddenSize, tensors: await readTensors(this.weights, layout) };
  }

  #stored(place: PeftPlace): string {
    return this.#prefix + storedName(place);
  }
}

/** Named alike here and there. */
const HEAD = ['classifier.weight', 'classifier.bias'] as const;

type Method = Pick<GraftFiles, 'method' | 'options' | 'adapterLayers'> & {
  readonly tensors: ReadonlyMap<string, TaskTensor>;
};

function readMethod(config: ConfigFile, file: PeftFile, hiddenSize: number): Promise<Method> {
  const { peft_type: type } = config.json;
  switch (type) {
    case 'LORA':
      return readLora(config, file);
    case 'IA3':
      return readIa3(file, hiddenSize);
    default:
      throw new UnsupportedModelError(
        `${config.file}: peft_type ${show(type)} is not supported`,
        'Graft runs "LORA" and "IA3"',
      );
  }
}

/** Variants of LoRA that compute otherwise, and the values with which they are off. */
const LORA_VARIANTS: Readonly<Record<string, readonly string[]>> = {
  use_dora: ['false'],
  use_qalora: ['false'],
  lora_bias: ['false'],
  bias: ['"none"'],
  rank_pattern: ['{}', 'null'],
  alpha_pattern: ['{}', 'null'],
  layer_replication: ['null'],
  trainable_token_indices: ['null'],
  target_parameters: ['null', '[]'],
  alora_invocation_tokens: ['null'],
  arrow_config: ['null'],
  kasa_config: ['null'],
  use_bdlora: ['null', 'false'],
  velora_config: ['null'],
};

async function readLora({ file: configName, json }: ConfigFile, file: PeftFile): Promise<Method> {
  for (const [key, off] of Object.entries(LORA_VARIANTS)) {
    if (json[key] !== undefined && !off.includes(JSON.stringify(json[key]))) {
      throw new UnsupportedModelError(
        `${configName}: ${key} is ${show(json[key])}`,
        'Graft runs LoRA as in its paper, of one rank and one alpha',
      );
    }
  }
  const {
    r: rank = 8,
    lora_alpha: peftAlpha = 8,
    lora_dropout: loraDropout = 0,
    use_rslora: rankStabilized,
  } = json;
  if (typeof rank !== 'number' || !Number.isSafeInteger(rank) || rank < 1) {
    throw new FileFormatError(configName, 'r', `a rank was expected, found ${show(rank)}`);
  }
  if (typeof peftAlpha !== 'number' || typeof loraDropout !== 'number') {
    throw new FileFormatError(
      configName,
      'lora_alpha, lora_dropout',
      `numbers were expected, found ${show(peftAlpha)}, ${show(loraDropout)}`,
    );
  }
  const adapterLayers = file.layers;
  // In the order in which Graft names them.
  const targets = [...MODULES.keys()].filter((target) =>
    file.places.some((place) => place.target === target),
  );
  requireAll(file, 2 * adapterLayers.length * targets.length);
  const tensors = new Map<string, TaskTensor>();
  for (const layer of adapterLayers) {
    for (const target of targets) {
      const place = { layer, target };
      const [, inputs = 0] = file.shape({ ...place, part: 'lora_A.weight' }) ?? [];
      const [outputs = 0] = file.shape({ ...place, part: 'lora_B.weight' }) ?? [];
      const name = outputName(layer, target);
      const a = await file.read(`${name}.lora_a`, { ...place, part: 'lora_A.weight' }, [rank, inputs]);
      const b = await file.read(`${name}.lora_b`, { ...place, part: 'lora_B.weight' }, [outputs, rank]);
      tensors.set(`${name}.lora_a`, a).set(`${name}.lora_b`, b);
    }
  }
  // Kalajdzievski 2023 (arXiv 2312.03732) scales by α/√r in place of α/r.
  const alpha = rankStabilized === true ? peftAlpha * Math.sqrt(rank) : peftAlpha;
  return { method: 'lora', options: { rank, alpha, loraDropout, targets }, adapterLayers, tensors };
}

/**
 * A vector that is not there scales nothing. peft's own choice of modules for BERT scales the input of attention's output
 * product, too; each element of that is a sum over values, with weights that the vector does not touch, so that it is folded into
 * the values' own vector without any change.
 */
async function readIa3(file: PeftFile, hiddenSize: number): Promise<Method> {
  const adapterLayers = file.layers;
  const tensors = new Map<string, TaskTensor>();
  let read = 0;
  const vector = async (
    layer: number,
    target: string,
    scalesInput: boolean,
  ): Promise<Float32Array | undefined> => {
    const place = { layer, target, part: 'ia3_l' };
    const shape = file.shape(place);
    if (shape === undefined) return undefined;
    read++;
    const length = shape.reduce((product, size) => product * size, 1);
    return (await file.read(target, place, vectorShape(length, scalesInput))).data;
  };
  for (const layer of adapterLayers) {
    const context = await vector(layer, 'attention.output', true);
    for (const { ours, target, scalesInput } of IA3_VECTORS) {
      const length = target === 'output' ? intermediateSize(file) : hiddenSize;
      const data = (await vector(layer, target, scalesInput)) ?? new Float32Array(length).fill(1);
      const folded =
        target === 'value' && context !== undefined
          ? data.map((value, i) => value * (context[i] ?? 1))
          : data;
      tensors.set(`layer.${layer}.${ours}.ia3`, { shape: [folded.length], data: folded });
    }
  }
  requireAll(file, read);
  return { method: 'ia3', options: {}, adapterLayers, tensors };
}

/** Of the vectors on the feed-forward's hidden layer: where there is none, nothing tells. */
function intermediateSize(file: PeftFile): number {
  const place = file.places.find(({ target }) => target === 'output');
  const size = place === undefined ? undefined : file.shape(place)?.at(-1);
  if (size !== undefined) return size;
  throw new UnsupportedModelError(
    `${file.weights.file}: no vector scales the feed-forward's hidden layer`,
    'Graft runs (IA)³ on keys, values and the feed-forward, as in its paper',
  );
}

/** Throws UnsupportedModelError where the file has other tensors beside the method's, or not the same ones in all layers. */
function requireAll(file: PeftFile, known: number): void {
  if (known === file.places.length) return;
  const parts = [...new Set(file.places.map(({ target, part }) => `${target}.${part}`))].join(', ');
  throw new UnsupportedModelError(
    `${file.weights.file}: ${file.places.length} tensors of the method, on ${parts}, where there should be ${known}`,
    'Graft reads the same modules in each layer that is adapted',
  );
}

/** Of the backbone: peft's files do not say. */
function countLayers(
  { num_hidden_layers: own }: JsonObject,
  adapterLayers: readonly number[],
  host: TaskHost,
): number {
  const least = (adapterLayers.at(-1) ?? 0) + 1;
  if (typeof own === 'number' && Number.isSafeInteger(own) && own >= least) return own;
  return Math.max('families' in host ? 0 : host.layers, least);
}

function parseLabels(
  graft: JsonObject,
  outputs: number,
  file: string,
): Pick<GraftFiles, 'taskKind' | 'labels'> {
  const { task, labels: own } = graft;
  if (task === 'regression' || (task === undefined && outputs === 1)) {
    if (outputs === 1) return { taskKind: 'regression', labels: [] };
    throw new FileFormatError(file, 'task', `regression has one output, the head has ${outputs}`);
  }
  const taskKind = task === 'multi-label' ? 'multi-label' : 'classification';
  const isList = Array.isArray(own) && own.every((label) => typeof label === 'string');
  const labels: readonly string[] = isList ? own : Array.from({ length: outputs }, (_, id) => `LABEL_${id}`);
  if (labels.length !== outputs || new Set(labels).size !== outputs || outputs < FEWEST_LABELS[taskKind]) {
    throw new FileFormatError(
      file,
      'labels',
      `${outputs} labels, each another, were expected, found ${show(labels)}`,
    );
  }
  return { taskKind, labels };
}
