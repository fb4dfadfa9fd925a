import type { Backend } from '../backends/backend';
import type { BatchShape, Dispatch } from '../backends/kernel';
import type { DeviceBuffer, Schedule } from '../backends/schedule';
import { OptionError } from '../errors';
import { type EncoderTask, encode, pool } from '../models/bert';
import { type ProductPlace, productName } from '../models/encoder-parameters';
import type { FrozenEncoder, FrozenLinear } from '../models/frozen-encoder';
import { dropout } from '../ops/dropout';
import type { EmbeddingTables } from '../ops/embeddings';
import { frozenLinear } from '../ops/frozen_linear';
import { linear } from '../ops/linear';
import { type DifferentiateOptions, differentiate } from '../scheduler/backward';
import { buildSchedule } from '../scheduler/build-schedule';
import { QUERY_TILE } from '../scheduler/packed-batch';
import type { ParameterLayout } from '../scheduler/parameters';
import { batchHidden, frozen, Tape, type Tensor, trainable } from '../scheduler/tape';
import { isAbovePrefix, type TaskSpec } from './task-spec';

/** A trained adapter that another one stands on: it stays as it is, and its head is not used. */
export interface FrozenAdapter {
  readonly spec: TaskSpec;
  readonly layout: ParameterLayout;
  /** On the host. */
  readonly arena: Float32Array;
  /** The same on the device. */
  readonly parameters: DeviceBuffer;
}

/** What a task's schedules are recorded from. */
export interface RecordedTask {
  readonly spec: TaskSpec;
  readonly encoder: FrozenEncoder;
  readonly layout: ParameterLayout;
  /** The parameter arena. */
  readonly parameters: DeviceBuffer;
  /** Those of the backbone's LayerNorms that the task does not train, on the device. */
  readonly frozenLayerNorms: ReadonlyMap<string, Tensor>;
  /** Products with the method folded in, by name; predictions take them in place of the encoder's and of what the method adds. */
  readonly merged?: ReadonlyMap<string, FrozenLinear> | undefined;
  /** So many layers from below, and the embeddings, are the backbone's own: neither adapters nor trained LayerNorms. Default 0. */
  readonly droppedLayers?: number;
  /** How many tasks' parameters the arena holds, each parameter's behind each other; the batch says which sequence reads which. */
  readonly groups?: number;
  /** Adapters that it stands on, from the lowest up. */
  readonly below?: readonly FrozenAdapter[];
}

/** The largest micro-batch under a token budget: every sequence might be a tile of its own, or a single token. */
export function capacityOf(tokenBudget: number, mostSequences: number): BatchShape {
  const sequenceCount = Math.min(mostSequences, tokenBudget);
  return {
    tokenCount: tokenBudget,
    sequenceCount,
    tileCount: Math.ceil(tokenBudget / QUERY_TILE) + sequenceCount,
  };
}

/**
 * Where a schedule starts: at the token ids, or at the hidden states that `prefixSchedule` gave, which come with the batch.
 * Either way the layers above draw the same dropout masks.
 */
export type ScheduleStart = 'tokens' | 'hidden';

const NO_DROPOUT = { hidden: 0, attention: 0 };

export interface TrainingScheduleOptions extends DifferentiateOptions {
  /** Default 'tokens'. */
  readonly start?: ScheduleStart;
  /** `[C]`, for the loss. */
  readonly classWeights?: DeviceBuffer | undefined;
}

/**
 * Forward, loss and backward: output 'loss', as the head records it, gradients added to the gradient arena. With `recompute` the layers'
 * activations are not saved but computed again: less memory, the same results.
 */
export function trainingSchedule(
  task: RecordedTask,
  gradients: DeviceBuffer,
  capacity: BatchShape,
  options: TrainingScheduleOptions = {},
): Schedule {
  const parameter = (name: string) => {
    const { offset, rows, columns } = task.layout.place(name);
    const place = { buffer: task.parameters, gradient: gradients, byteOffset: offset * 4 };
    return trainable(name, place, rows, columns);
  };
  const tape = new Tape();
  const logits = recordLogits(tape, task, {
    parameter,
    isTraining: true,
    enter: startAt(tape, task, options.start ?? 'tokens'),
  });
  const { classWeights } = options;
  const weights = classWeights && frozen('class weights', classWeights, 1, classWeights.byteLength / 4);
  const loss = task.spec.head.loss(tape, logits, weights);
  const backward = differentiate(tape, new Map([[loss, loss]]), options);
  return buildSchedule(
    `training ${task.spec.name}`,
    [...tape.forward(), ...backward.dispatches],
    { loss },
    capacity,
  );
}

/** Forward only: output 'logits' `[B, C]`, or `[T, C]` of a head that has a row for each token. */
export function inferenceSchedule(
  task: RecordedTask,
  capacity: BatchShape,
  start: ScheduleStart = 'tokens',
): Schedule {
  const tape = new Tape();
  const logits = recordLogits(tape, task, {
    parameter: frozenParameter(task),
    isTraining: false,
    enter: startAt(tape, task, start),
  });
  return buildSchedule(`predicting ${task.spec.name}`, tape.forward(), { logits }, capacity);
}

/**
 * The embeddings and the layers below all that is trained: output 'hidden', the input `[T, hidden]` of the layer above, or what
 * the head takes: `[B, hidden]`, or `[T, hidden]` of a head that has a row for each token.
 */
export function prefixSchedule(task: RecordedTask, capacity: BatchShape): Schedule {
  const tape = new Tape();
  const found: { dispatches: Dispatch<Tensor>[]; hidden: Tensor }[] = [];
  const enter = (layer: number, hidden: Tensor) => {
    if (layer === task.spec.frozenLayers) found.push({ dispatches: tape.forward(), hidden });
    return hidden;
  };
  recordLogits(tape, task, { parameter: frozenParameter(task), isTraining: false, enter });
  const [prefix] = found;
  if (prefix === undefined) throw new RangeError(`there is no layer ${task.spec.frozenLayers}`);
  const { dispatches, hidden } = prefix;
  return buildSchedule(`lower layers of ${task.spec.name}`, dispatches, { hidden }, capacity);
}

/** A task's parameters as constants. */
export function frozenParameter(
  task: Pick<RecordedTask, 'layout' | 'parameters' | 'groups'>,
): (name: string) => Tensor {
  const { layout, parameters, groups } = task;
  return (name) => {
    const { offset, rows, columns } = layout.place(name);
    return { ...frozen(name, parameters, rows, columns, offset * 4), groups };
  };
}

function startAt(tape: Tape, { spec }: RecordedTask, start: ScheduleStart): EncoderTask['enter'] {
  return (layer, hidden) => {
    if (start === 'tokens' || layer !== spec.frozenLayers) return hidden;
    // Recorded and dropped: so each op above has the same key as in the whole encoder, and draws the same masks.
    tape.dropSteps();
    return batchHidden(hidden.rows, hidden.columns);
  };
}

export interface Recording {
  /** The task's tensors by name: trainable in training. */
  parameter(name: string): Tensor;
  /** Whether dropout is drawn. */
  readonly isTraining: boolean;
  /** Given the input of each layer, and as the last one that of the head, `[B, hidden]` or `[T, hidden]`. */
  readonly enter: EncoderTask['enter'];
}

/** The task's forward pass: logits `[B, C]`. */
export function recordLogits(tape: Tape, task: RecordedTask, recording: Recording): Tensor {
  const { spec, encoder } = task;
  const { parameter, isTraining } = recording;
  const encoderTask = taskInEncoder(tape, task, recording);
  // For each token its last hidden state, as transformers' BertForTokenClassification; for a text its pooled first token.
  const features =
    spec.head.rows === 'tokens'
      ? encode(tape, encoder, encoderTask, 'every token')
      : pool(tape, encoder, encoderTask, encode(tape, encoder, encoderTask, 'first tokens'));
  const entered = recording.enter(encoder.config.layers, features);
  const dropped = dropout(tape, entered, isTraining ? spec.dropout.classifier : 0);
  return linear(tape, dropped, parameter('classifier.weight'), parameter('classifier.bias'));
}

/** What the task puts into the encoder: its parameters in the place of the encoder's own, and what its method adds. */
export function taskInEncoder(tape: Tape, task: RecordedTask, recording: Recording): EncoderTask {
  const { spec, encoder, layout, droppedLayers = 0 } = task;
  const { parameter, isTraining, enter } = recording;
  const trained = (name: string) => (layout.has(name) ? parameter(name) : undefined);
  const below = task.below ?? [];
  /** Of the uppermost adapter that has it. */
  const trainedBelow = (name: string) => {
    const owner = below.findLast((adapter) => adapter.layout.has(name));
    return owner && frozenParameter(owner)(name);
  };
  const layerNormPart = (name: string) => {
    const own = isAbovePrefix(name, droppedLayers) ? (trained(name) ?? trainedBelow(name)) : undefined;
    const tensor = own ?? task.frozenLayerNorms.get(name);
    if (tensor === undefined) throw new RangeError(`there is no ${name}`);
    return tensor;
  };
  const multiply = (name: string, x: Tensor, pretrained: FrozenLinear) => {
    const weight = trained(`${name}.weight`);
    const bias = trained(`${name}.bias`) ?? pretrained.bias;
    return weight === undefined
      ? frozenLinear(tape, x, pretrained.weight, bias)
      : linear(tape, x, weight, bias);
  };
  const hooks = spec.adapter.attach?.({ tape, parameter, isTraining }) ?? {};
  const isIn = ({ adapterLayers }: TaskSpec, layer: number) =>
    layer >= droppedLayers && adapterLayers.includes(layer);
  const isAdapted = ({ layer }: Pick<ProductPlace, 'layer'>) => isIn(spec, layer);
  const stack = [
    ...below.map((adapter) => ({
      spec: adapter.spec,
      hooks: adapter.spec.adapter.attach?.({ tape, parameter: frozenParameter(adapter), isTraining: false }),
    })),
    { spec, hooks },
  ];
  return {
    embeddings: () => tablesOf(encoder.embeddings, trained),
    layerNorm: (place) => ({
      gamma: layerNormPart(`${place}.layer_norm.weight`),
      beta: layerNormPart(`${place}.layer_norm.bias`),
    }),
    linear(place, x, pretrained) {
      if (typeof place === 'string') return multiply(place, x, pretrained);
      const merged = isTraining || !isAdapted(place) ? undefined : task.merged?.get(productName(place));
      if (merged !== undefined) return frozenLinear(tape, x, merged.weight, merged.bias);
      const product = (input: Tensor) => multiply(productName(place), input, pretrained);
      return isAdapted(place) && hooks.linear !== undefined ? hooks.linear(place, x, product) : product(x);
    },
    prefix: (layer) => (isAdapted({ layer }) ? hooks.prefix?.(layer) : undefined),
    subLayer(place, end) {
      // Each reads what the one below it gives: `Stack` of Pfeiffer et al. 2020 (MAD-X, arXiv 2005.00052).
      const projected = stack.reduce(
        (y, adapter) =>
          isIn(adapter.spec, place.layer)
            ? (adapter.hooks?.subLayer?.(place, { ...end, projected: y }) ?? y)
            : y,
        end.projected,
      );
      return end.normalize(projected, end.input);
    },
    // Without random masks the lower layers give an example the same hidden states each time: they can be kept.
    dropout: (layer) =>
      !isTraining || (layer < spec.frozenLayers && spec.frozenLayers > 0) ? NO_DROPOUT : spec.dropout,
    enter,
  };
}

function tablesOf(tables: EmbeddingTables, trained: (name: string) => Tensor | undefined): EmbeddingTables {
  const word = trained('embeddings.word.weight');
  return {
    word: word === undefined ? tables.word : [{ tensor: word, firstRow: 0 }],
    position: trained('embeddings.position.weight') ?? tables.position,
    type: trained('embeddings.type.weight') ?? tables.type,
  };
}

/**
 * The token budget: where the user names none, enough to fill the device, little enough to fit it.
 * Throws OptionError for one into which the longest text does not fit.
 */
export function resolveTokenBudget(
  given: number | 'auto' | undefined,
  backend: Backend,
  batchSize: number,
  maxLength: number,
): number {
  if (given === undefined || given === 'auto') {
    const enough = backend.device.isFallback ? 2048 : 8192;
    return Math.max(maxLength, Math.min(enough, batchSize * maxLength));
  }
  if (!Number.isSafeInteger(given) || given < maxLength) {
    throw new OptionError(
      'tokenBudget',
      `${given} is not a whole number of at least ${maxLength}, the longest text`,
      'Raise it, or lower the maximum length',
    );
  }
  return given;
}
