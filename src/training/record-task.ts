import type { Backend } from '../backends/backend';
import type { BatchShape, Dispatch } from '../backends/kernel';
import type { DeviceBuffer, Schedule } from '../backends/schedule';
import { OptionError } from '../errors';
import { type EncoderTask, encode, pool } from '../models/bert';
import type { FrozenEncoder } from '../models/frozen-encoder';
import { crossEntropy } from '../ops/cross_entropy';
import { dropout } from '../ops/dropout';
import { linear } from '../ops/linear';
import { squaredError } from '../ops/squared_error';
import { type DifferentiateOptions, differentiate } from '../scheduler/backward';
import { buildSchedule } from '../scheduler/build-schedule';
import { QUERY_TILE } from '../scheduler/packed-batch';
import type { ParameterLayout } from '../scheduler/parameters';
import { batchHidden, frozen, Tape, type Tensor, trainable } from '../scheduler/tape';
import type { TaskSpec } from './task-spec';

/** What a task's schedules are recorded from. */
export interface RecordedTask {
  readonly spec: TaskSpec;
  readonly encoder: FrozenEncoder;
  readonly layout: ParameterLayout;
  /** The parameter arena. */
  readonly parameters: DeviceBuffer;
  /** Those of the backbone's LayerNorms that the task does not train, on the device. */
  readonly frozenLayerNorms: ReadonlyMap<string, Tensor>;
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

const NO_DROPOUT: TaskSpec['dropout'] = { hidden: 0, attention: 0, classifier: 0 };

export interface TrainingScheduleOptions extends DifferentiateOptions {
  /** Default 'tokens'. */
  readonly start?: ScheduleStart;
}

/**
 * Forward, loss and backward: output 'loss' `[B, 1]`, gradients added to the gradient arena. With `recompute` the layers'
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
  const logits = recordLogits(
    tape,
    task,
    parameter,
    task.spec.dropout,
    startAt(tape, task, options.start ?? 'tokens'),
  );
  const loss = task.spec.kind === 'regression' ? squaredError(tape, logits) : crossEntropy(tape, logits);
  const backward = differentiate(tape, new Map([[loss, loss]]), options);
  return buildSchedule(
    `training ${task.spec.name}`,
    [...tape.forward(), ...backward.dispatches],
    { loss },
    capacity,
  );
}

/** Forward only: output 'logits' `[B, C]`. */
export function inferenceSchedule(
  task: RecordedTask,
  capacity: BatchShape,
  start: ScheduleStart = 'tokens',
): Schedule {
  const tape = new Tape();
  const logits = recordLogits(tape, task, frozenParameter(task), NO_DROPOUT, startAt(tape, task, start));
  return buildSchedule(`predicting ${task.spec.name}`, tape.forward(), { logits }, capacity);
}

/** The embeddings and the layers below the lowest adapter: output 'hidden' `[T, hidden]`, the lowest adapter's layer's input. */
export function prefixSchedule(task: RecordedTask, capacity: BatchShape): Schedule {
  const tape = new Tape();
  const found: { dispatches: Dispatch<Tensor>[]; hidden: Tensor }[] = [];
  recordLogits(tape, task, frozenParameter(task), NO_DROPOUT, (layer, hidden) => {
    if (layer === task.spec.frozenLayers) found.push({ dispatches: tape.forward(), hidden });
    return hidden;
  });
  const [prefix] = found;
  if (prefix === undefined) throw new RangeError(`there is no layer ${task.spec.frozenLayers}`);
  const { dispatches, hidden } = prefix;
  return buildSchedule(`lower layers of ${task.spec.name}`, dispatches, { hidden }, capacity);
}

/** A task's parameters as constants. */
function frozenParameter(task: RecordedTask): (name: string) => Tensor {
  return (name) => {
    const { offset, rows, columns } = task.layout.place(name);
    return frozen(name, task.parameters, rows, columns, offset * 4);
  };
}

function startAt(tape: Tape, { spec }: RecordedTask, start: ScheduleStart): EncoderTask['enter'] {
  return (layer, hidden) => {
    if (start === 'tokens' || layer !== spec.frozenLayers) return hidden;
    // Recorded and dropped: so each op above has the same key as in the whole encoder, and draws the same masks.
    tape.dropSteps();
    return batchHidden(hidden.columns);
  };
}

function recordLogits(
  tape: Tape,
  task: RecordedTask,
  newParameter: (name: string) => Tensor,
  probabilities: TaskSpec['dropout'],
  enter: EncoderTask['enter'],
): Tensor {
  const { spec, encoder, layout } = task;
  const layerNormPart = (name: string) => {
    if (layout.has(name)) return newParameter(name);
    const tensor = task.frozenLayerNorms.get(name);
    if (tensor === undefined) throw new RangeError(`there is no ${name}`);
    return tensor;
  };
  const encoderTask: EncoderTask = {
    layerNorm: (place) => ({
      gamma: layerNormPart(`${place}.layer_norm.weight`),
      beta: layerNormPart(`${place}.layer_norm.bias`),
    }),
    attach: (place, projected) =>
      spec.adapterLayers.includes(place.layer)
        ? spec.adapter.attach(tape, place, projected, newParameter)
        : projected,
    // Without random masks the lower layers give an example the same hidden states each time: they can be kept.
    dropout: (layer) => (layer < spec.frozenLayers && spec.frozenLayers > 0 ? NO_DROPOUT : probabilities),
    enter,
  };
  const firstTokens = encode(tape, encoder, encoderTask, 'first tokens');
  const pooled = dropout(tape, pool(tape, encoder, firstTokens), probabilities.classifier);
  return linear(tape, pooled, newParameter('classifier.weight'), newParameter('classifier.bias'));
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
