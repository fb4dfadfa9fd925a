import { OptionError } from '../errors';
import { checkDropLayers, PretrainedLayerNorms } from './drop-layers';
import { GroupedParameters } from './grouped-parameters';
import { encodeTexts } from './heads/encode-texts';
import { rowsOf } from './heads/logits';
import { Inference } from './inference';
import { inferenceSchedule, type RecordedTask, resolveTokenBudget } from './record-task';
import { sharedLayersSchedule } from './shared-layers';
import type { PredictOptions, Task, TaskContext, TaskParts } from './task';
import type { Prediction, TextInput, TextPair } from './types';

/** A text, or a pair, and the task that it is for. */
export interface GroupInput extends TextPair {
  /** One of the group's. */
  readonly task: Task;
}

/** An inference that is kept as long as the same number of layers is dropped. */
interface Prepared {
  readonly dropLayers: number;
  readonly inference: Inference;
}

/**
 * Several tasks on one backbone that predict together. It owns device memory of its own, but not the tasks: those must live as long as
 * it is used. A task may be trained further in between; during a training, `predict` uses the parameters from before it.
 */
export class TaskGroup {
  /** In the order in which they were given. */
  readonly tasks: readonly Task[];
  readonly #context: TaskContext;
  readonly #pretrained: PretrainedLayerNorms;
  #grouped: Promise<GroupedParameters> | undefined;
  #mixed: Prepared | undefined;
  /** By the maximum length of the tasks that share it. */
  readonly #all = new Map<number, Prepared>();

  /** @internal See Backbone.groupTasks. */
  constructor(context: TaskContext, tasks: readonly Task[]) {
    if (tasks.length === 0) throw new OptionError('tasks', 'there is none');
    if (new Set(tasks).size !== tasks.length) throw new OptionError('tasks', 'one is there twice');
    const stranger = tasks.find((task) => task.parts.context.encoder !== context.encoder);
    if (stranger !== undefined) {
      throw new OptionError('tasks', `${stranger.name} is on another backbone`);
    }
    for (const task of tasks) saying(task.parts.recorded.spec);
    this.#context = context;
    this.tasks = [...tasks];
    this.#pretrained = new PretrainedLayerNorms(context.backend, context.encoder);
  }

  /**
   * What each text's own task says of it, in one forward pass for texts of all tasks: the backbone's products run over all tokens at once,
   * the adapter's with the parameters of each text's task. The same as each task's own `predict`: on the CPU to the bit, on WebGPU but
   * for the rounding of sums.
   *
   * All tasks must be of one method, shape and choice of layers: Houlsby, Pfeiffer or parallel adapters, LoRA, LayerNorms or the head
   * alone. Labels, their number, kind and maximum length may differ.
   *
   * @throws OptionError for a task that is not in the group, tasks that cannot share a batch (with what differs), and as `Task.predict`;
   *   DeviceLimitError or OutOfDeviceMemoryError
   */
  async predict(inputs: readonly GroupInput[], options: PredictOptions = {}): Promise<Prediction[]> {
    const parts = this.tasks.map((task) => task.parts);
    const numbers = new Map(this.tasks.map((task, number) => [task, number]));
    const { tokenizer, backend } = this.#context;
    const examples = inputs.map(({ task, text, pair }, index) => {
      const number = numbers.get(task);
      if (number === undefined) {
        throw new OptionError('task', `that of input ${index + 1}, ${task.name}, is not in the group`);
      }
      const { sequences } = encodeTexts([{ text, pair }], tokenizer, specOf(parts, number));
      return sequences.map((sequence) => ({ ...sequence, labels: [number], number, index }));
    });
    // Those of a task lie together, so that its weights are read in few runs.
    const sorted = examples.flat().sort((a, b) => a.number - b.number);
    const grouped = await this.#groupedParameters(parts);
    const inference = await this.#mixedInference(grouped, options.dropLayers ?? 0);
    grouped.update(parts);
    const longest = Math.max(...parts.map(({ recorded }) => recorded.spec.maxLength));
    const rows = await inference.rows(sorted, {
      ...options,
      tokenBudget: resolveTokenBudget(options.tokenBudget, backend, 64, longest),
    });
    const { outputs } = grouped;
    const predictions = sorted.map(({ number, index }, row) => {
      const spec = specOf(parts, number);
      const logits = rows.subarray(row * outputs, row * outputs + spec.head.outputs);
      return { index, prediction: saying(spec)(logits) };
    });
    return predictions.sort((a, b) => a.index - b.index).map(({ prediction }) => prediction);
  }

  /**
   * What every task says of every text, in the order of the tasks: `[task][text]`. Texts are split into tokens once, and the layers below
   * the lowest adapter of all the tasks are computed once: those that `dropLayers` leaves out, or that the tasks' `adapterLayers` do
   * (AdapterDrop, Rücklé et al. 2021). The tasks may be of any methods; those whose maximum lengths differ share nothing. The same bits
   * as each task's own `predict`.
   *
   * @throws OptionError as `Task.predict`; DeviceLimitError or OutOfDeviceMemoryError
   */
  async predictAll(texts: readonly TextInput[], options: PredictOptions = {}): Promise<Prediction[][]> {
    const recorded = this.tasks.map((task) => task.parts.recorded);
    const predictions = new Map<RecordedTask, Prediction[]>();
    for (const maxLength of new Set(recorded.map(({ spec }) => spec.maxLength))) {
      const reading = recorded.filter(({ spec }) => spec.maxLength === maxLength);
      const { sequences } = encodeTexts(texts, this.#context.tokenizer, { maxLength });
      const inference = await this.#allInference(maxLength, reading, options.dropLayers ?? 0);
      const outputs = await inference.outputs(sequences, {
        ...options,
        tokenBudget: resolveTokenBudget(options.tokenBudget, this.#context.backend, 64, maxLength),
      });
      for (const [index, task] of reading.entries()) {
        const rows = rowsOf(outputs[index] ?? new Float32Array(0), task.spec.head.outputs);
        predictions.set(task, rows.map(saying(task.spec)));
      }
    }
    return recorded.map((task) => predictions.get(task) ?? []);
  }

  /** Frees the group's device memory; the tasks stay. */
  dispose(): void {
    this.#mixed?.inference.dispose();
    for (const { inference } of this.#all.values()) inference.dispose();
    this.#grouped?.then(
      (grouped) => grouped.dispose(),
      () => undefined,
    );
    this.#pretrained.dispose();
    this.#mixed = undefined;
    this.#all.clear();
    this.#grouped = undefined;
  }

  /** `dispose`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }

  #groupedParameters(parts: readonly TaskParts[]): Promise<GroupedParameters> {
    const recorded = parts.map((part) => part.recorded);
    this.#grouped ??= GroupedParameters.create(this.#context.backend, recorded).catch((error: unknown) => {
      this.#grouped = undefined;
      throw error;
    });
    return this.#grouped;
  }

  async #mixedInference({ recorded, outputs }: GroupedParameters, dropLayers: number): Promise<Inference> {
    const dropped = await this.#without(dropLayers, recorded);
    if (this.#mixed?.dropLayers !== dropLayers) {
      this.#mixed?.inference.dispose();
      const inference = new Inference(this.#context.backend, {
        columns: outputs,
        rows: 'sequences',
        // The number of each text's task.
        labels: 'u32',
        schedule: (capacity) => inferenceSchedule(dropped, capacity),
      });
      this.#mixed = { dropLayers, inference };
    }
    return this.#mixed.inference;
  }

  async #allInference(
    maxLength: number,
    tasks: readonly RecordedTask[],
    dropLayers: number,
  ): Promise<Inference> {
    const dropped: RecordedTask[] = [];
    for (const task of tasks) dropped.push(await this.#without(dropLayers, task));
    const prepared = this.#all.get(maxLength);
    if (prepared?.dropLayers === dropLayers) return prepared.inference;
    prepared?.inference.dispose();
    const inference = new Inference(this.#context.backend, {
      columns: tasks.map(({ spec }) => spec.head.outputs),
      rows: 'sequences',
      schedule: (capacity) => sharedLayersSchedule(dropped, capacity),
    });
    this.#all.set(maxLength, { dropLayers, inference });
    return inference;
  }

  /** Throws OptionError. */
  #without(layers: number, task: RecordedTask): Promise<RecordedTask> {
    checkDropLayers(layers, task.spec, this.#context.encoder.config);
    return this.#pretrained.without(layers, task);
  }
}

/** What a row of the task's logits says. */
function saying({ name, kind, head }: RecordedTask['spec']): (row: Float32Array) => Prediction {
  if (head.predict !== undefined) return head.predict;
  throw new OptionError('tasks', `${name} is for ${kind}, and says more than one thing of a text`);
}

function specOf(parts: readonly TaskParts[], number: number): RecordedTask['spec'] {
  const part = parts[number];
  if (part === undefined) throw new RangeError(`there is no task ${number}`);
  return part.recorded.spec;
}
