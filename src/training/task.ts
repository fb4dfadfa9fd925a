import type { AdapterMethod } from '../adapters/method';
import type { Backend } from '../backends/backend';
import type { DeviceBuffer } from '../backends/schedule';
import { GraftError, OptionError } from '../errors';
import type { JsonObject } from '../formats/json';
import type { SaveOptions } from '../formats/save-options';
import type { TaskTensor } from '../formats/task';
import type { FrozenEncoder } from '../models/frozen-encoder';
import { uploadLayerNorms } from '../models/layer-norms';
import { ParameterLayout } from '../scheduler/parameters';
import type { Tokenizer } from '../tokenizer/tokenizer';
import type { EncodedExample } from './batches';
import { checkBindings } from './bindings';
import { checkDropLayers, PretrainedLayerNorms } from './drop-layers';
import type { Weighing } from './heads/head';
import { Inference, type InferenceModel, type InferenceOptions, SEQUENCES_PER_RUN } from './inference';
import { type MergedProducts, mergeProducts } from './merge';
import { PrefixCache } from './prefix-cache';
import {
  capacityOf,
  inferenceSchedule,
  type RecordedTask,
  resolveTokenBudget,
  type ScheduleStart,
  trainingSchedule,
} from './record-task';
import { adaptersBelow, checkBelow, checkStackable, describeBelow, digestOf, takeLayerNorms } from './stack';
import { arenaOf, writeTask } from './task-files';
import { initialArena, resolveTask, type TaskOptions, type TaskSpec, taskParameters } from './task-spec';
import { runTraining, type TrainingOutcome } from './trainer';
import { conditionsOf, resolveTraining, type TrainingSettings } from './training-settings';
import type {
  ClassWeights,
  DoneReport,
  Metrics,
  Prediction,
  PrefixCacheReport,
  TaskExample,
  TaskInput,
  TaskKind,
  TrainingOptions,
  TrainingReport,
} from './types';

/** A trained task's tensors, and what its files say beside them. */
export interface SavedParameters {
  readonly tensors: ReadonlyMap<string, TaskTensor>;
  readonly settings: JsonObject;
}

/** What a task is made with. */
export interface TaskContext {
  readonly backend: Backend;
  readonly encoder: FrozenEncoder;
  readonly tokenizer: Tokenizer;
}

/** For prediction and evaluation. */
export interface PredictOptions {
  /** Cancels; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Most tokens computed at once. Default 'auto'. */
  readonly tokenBudget?: number | 'auto' | undefined;
  /** Texts done so far, and of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /**
   * n: the lowest n layers and the embeddings run as the backbone has them, without adapters and trained LayerNorms (AdapterDrop,
   * Rücklé et al. 2021). Default 0.
   */
  readonly dropLayers?: number | undefined;
}

/** For `Backbone.createTask`. */
export interface CreateTaskOptions extends TaskOptions {
  /**
   * A trained task whose adapter the new one stands on: in each sub-layer the new adapter reads what the other one gives (`Stack` of
   * Pfeiffer et al. 2020, MAD-X, arXiv 2005.00052). The lower one stays as it is now, a copy of its own; its head is not used. Both
   * are Houlsby or Pfeiffer adapters. LayerNorms that the new task trains begin as the lower one has them.
   */
  readonly on?: Task | undefined;
}

/** What a task hands to a `TaskGroup`. */
export interface TaskParts {
  readonly context: TaskContext;
  readonly recorded: RecordedTask;
  /** As it is when no training runs. */
  readonly arena: Float32Array;
  /** Another number whenever the arena is another. */
  readonly version: number;
}

/** One adapter, its head and its labels, on a shared backbone. */
export class Task {
  readonly #context: TaskContext;
  readonly #spec: TaskSpec;
  readonly #layout: ParameterLayout;
  readonly #buffers: readonly DeviceBuffer[];
  readonly #recorded: RecordedTask;
  /** The same, or with the method folded in. */
  #current: RecordedTask;
  readonly #pretrained: PretrainedLayerNorms;
  #inference: Inference;
  /** The one for predictions without the adapters of so many layers. */
  #dropped: { readonly layers: number; readonly inference: Inference } | undefined;
  #merged: MergedProducts | undefined;
  /** The parameter arena, as it is on the device when no training runs. */
  readonly #arena: Float32Array<ArrayBuffer>;
  #version = 0;
  #isTraining = false;
  /** Whether the texts are pairs; training learns it from its examples. */
  takesPairs = false;

  private constructor(
    context: TaskContext,
    layout: ParameterLayout,
    arena: Float32Array<ArrayBuffer>,
    recorded: RecordedTask,
    buffers: readonly DeviceBuffer[],
  ) {
    this.#context = context;
    this.#spec = recorded.spec;
    this.#layout = layout;
    this.#arena = arena;
    this.#recorded = recorded;
    this.#current = recorded;
    this.#buffers = buffers;
    this.#pretrained = new PretrainedLayerNorms(context.backend, context.encoder);
    this.#inference = new Inference(context.backend, modelOf(recorded, 'tokens'));
  }

  /** @internal See Backbone.createTask. `saved` is a trained task; without it, it starts anew. */
  static async create(
    context: TaskContext,
    options: CreateTaskOptions,
    saved?: SavedParameters,
  ): Promise<Task> {
    const { backend, encoder } = context;
    const spec = resolveTask(options, encoder);
    const specs = taskParameters(spec, encoder, options.seed ?? 0);
    const layout = new ParameterLayout(specs);
    checkBindings(layout, backend, 'Train fewer of the parameters, or on the CPU');
    const { on } = options;
    if (on !== undefined) {
      checkStackable(spec);
      if (on.parts.context.encoder !== encoder)
        throw new OptionError('on', `${on.name} is on another backbone`);
    }
    const arena =
      saved === undefined ? await initialArena(specs, layout) : arenaOf(spec.name, saved.tensors, layout);
    const buffers: DeviceBuffer[] = [];
    const upload = async (values: Float32Array, label: string) => {
      const buffer = await backend.allocate(values.byteLength, label);
      buffers.push(buffer);
      backend.write(buffer, 0, values);
      return buffer;
    };
    try {
      const below = on && (await adaptersBelow(on.parts, upload));
      if (saved !== undefined) checkBelow(spec.name, saved.settings, below);
      else takeLayerNorms(below ?? [], layout, arena);
      const parameters = await upload(arena, `parameters of ${spec.name}`);
      const frozenLayerNorms = await uploadLayerNorms(encoder, upload, (name) => !layout.has(name));
      return new Task(
        context,
        layout,
        arena,
        { spec, encoder, layout, parameters, frozenLayerNorms, ...(below && { below }) },
        buffers,
      );
    } catch (error) {
      for (const buffer of buffers) buffer.dispose();
      throw error;
    }
  }

  /** @internal */
  get parts(): TaskParts {
    return {
      context: this.#context,
      recorded: this.#recorded,
      arena: this.#arena,
      version: this.#version,
    };
  }

  /** Of the adapter in its files. */
  get name(): string {
    return this.#spec.name;
  }

  /** Which kind of labels it has. */
  get kind(): TaskKind {
    return this.#spec.kind;
  }

  /** Empty for a regression. */
  get labels(): readonly string[] {
    return this.#spec.labels;
  }

  /** The encoder layers that are adapted, counted from 0, ascending. */
  get adapterLayers(): readonly number[] {
    return this.#spec.adapterLayers;
  }

  /** The width of the bottleneck; 0 where the method has none. */
  get bottleneck(): number {
    const { bottleneck } = this.#spec.adapter.options;
    return typeof bottleneck === 'number' ? bottleneck : 0;
  }

  /** What is trained: the method's name and its options. */
  get adapter(): Pick<AdapterMethod, 'kind' | 'options'> {
    return this.#spec.adapter;
  }

  /** Numbers in the method's parameters, LayerNorms and head. */
  get trainableParameters(): number {
    return this.#layout.count;
  }

  /**
   * Trains the task and reports as it goes; the last report is of type 'done'.
   *
   * @throws DataError for examples that cannot be used, OptionError for options that cannot, DivergedError where the loss
   *   is not finite, OutOfDeviceMemoryError, DeviceLostError; the signal's reason where it is aborted. Before the last two
   *   `onCheckpoint` is given the state after the last finished step, so that none is lost
   */
  async *train(
    examples: readonly TaskExample[],
    options: TrainingOptions = {},
  ): AsyncGenerator<TrainingReport, void, undefined> {
    if (this.#isTraining) throw new GraftError(`${this.name} is being trained already`);
    this.#isTraining = true;
    this.unmerge();
    const started = performance.now();
    const { backend, tokenizer, encoder } = this.#context;
    const { below } = this.#recorded;
    const owned: { dispose(): void }[] = [];
    let prefix: PrefixCache | undefined;
    let isComplete = false;
    try {
      const settings = resolveTraining(options);
      const { head } = this.#spec;
      const train = head.encodeExamples(examples, tokenizer, this.#spec);
      const weighing = this.#weigh(options.classWeights, train.examples);
      const trainExamples = weighing?.examples ?? train.examples;
      const dev = options.dev && head.encodeExamples(options.dev, tokenizer, this.#spec);
      this.takesPairs = examples.some((example) => 'pair' in example && example.pair !== undefined);
      const tokenBudget = this.#tokenBudget(options.tokenBudget, settings.batchSize);
      const gradients = await backend.allocate(this.#layout.size * 4, `gradients of ${this.name}`);
      owned.push(gradients);
      let classWeights: DeviceBuffer | undefined;
      if (weighing !== undefined) {
        classWeights = await backend.allocate(weighing.weights.byteLength, `class weights of ${this.name}`);
        owned.push(classWeights);
        backend.write(classWeights, 0, weighing.weights);
      }
      const capacity = capacityOf(tokenBudget, settings.batchSize);
      prefix = this.#prefixCache(settings, tokenBudget);
      const start = prefix === undefined ? 'tokens' : 'hidden';
      const { recompute } = settings;
      const executable = await backend.prepare(
        trainingSchedule(this.#recorded, gradients, capacity, { recompute, start, classWeights }),
      );
      owned.push(executable);
      const inference =
        prefix === undefined
          ? this.#inference
          : new Inference(backend, modelOf(this.#recorded, 'hidden'), prefix);
      if (prefix !== undefined) owned.push(inference);
      const evaluate =
        dev &&
        (async () =>
          dev.evaluate(await inference.rows(dev.examples, { tokenBudget, signal: options.signal })));
      const outcome = yield* runTraining({
        backend,
        executable,
        prefix,
        layout: this.#layout,
        parameters: this.#recorded.parameters,
        gradients,
        initial: this.#arena,
        labelType: head.labelType,
        examples: trainExamples,
        tokenBudget,
        settings,
        conditions: {
          ...conditionsOf(
            settings,
            this.#spec,
            options.tokenBudget ?? 'auto',
            trainExamples,
            dev?.examples,
            weighing?.weights,
          ),
          ...(below === undefined ? {} : { on: digestOf(below) }),
        },
        evaluate,
        options,
      });
      this.#arena.set(outcome.parameters);
      this.#version += 1;
      isComplete = true;
      yield this.#doneReport(
        outcome,
        executable.byteLength,
        encoder.parameterCount,
        train.truncated,
        (performance.now() - started) / 1000,
        prefix?.report,
      );
    } finally {
      if (!isComplete) this.#restore();
      await prefix?.close();
      for (const item of owned) item.dispose();
      this.#isTraining = false;
    }
  }

  /** After a run that failed or was left: what `predict` uses is again what `save` gives, the parameters from before it. */
  #restore(): void {
    try {
      this.#context.backend.write(this.#recorded.parameters, 0, this.#arena);
    } catch (error) {
      // A device that is gone holds nothing any more; why the run ended is what the caller is to hear.
      if (!(error instanceof GraftError)) throw error;
    }
  }

  /** Metrics on labelled examples. Throws DataError, OptionError. */
  async evaluate(examples: readonly TaskExample[], options: PredictOptions = {}): Promise<Metrics> {
    const set = this.#spec.head.encodeExamples(examples, this.#context.tokenizer, this.#spec);
    const inference = await this.#inferenceWithout(options.dropLayers);
    const logits = await inference.rows(set.examples, this.#inferenceOptions(options));
    return set.evaluate(logits).metrics;
  }

  /**
   * For each text what the task's kind says of it: a label, several, a value, the entities in it, or an answer. Throws DataError,
   * OptionError.
   */
  async predict(texts: readonly TaskInput[], options: PredictOptions = {}): Promise<Prediction[]> {
    const set = this.#spec.head.encodeTexts(texts, this.#context.tokenizer, this.#spec);
    const inference = await this.#inferenceWithout(options.dropLayers);
    return set.predictions(await inference.rows(set.sequences, this.#inferenceOptions(options)));
  }

  /**
   * The task's files by name, which `loadTask` reads; those of bottleneck adapters are in AdapterHub's layout, which Python's
   * `adapters` reads, too, those of `format: 'peft'` by `peft`. Throws OptionError for a format that does not have the method, or a
   * number that f16 cannot hold.
   */
  async save(options: SaveOptions = {}): Promise<Record<string, Uint8Array<ArrayBuffer>>> {
    const settings = {
      maxLength: this.#spec.maxLength,
      takesPairs: this.takesPairs,
      ...describeBelow(this.#recorded.below),
    };
    return writeTask(this.#spec, settings, this.#context.encoder, this.#layout, this.#arena, options);
  }

  /**
   * Folds LoRA or (IA)³ into copies of the weights that it changes: predictions then cost what the bare backbone's cost, and the
   * task takes the memory of the copies. In f16 and int8 the sums are rounded to that storage. Training ends it.
   *
   * @throws GraftError for a method that cannot be folded in, or while the task is trained; DeviceLimitError,
   *   OutOfDeviceMemoryError
   */
  async merge(): Promise<void> {
    if (this.#isTraining) throw new GraftError(`${this.name} is being trained`);
    const { backend, encoder } = this.#context;
    const { adapter, adapterLayers } = this.#spec;
    const parameter = (name: string) => this.#layout.slice(this.#arena, name);
    const merged = await mergeProducts(backend, encoder, adapter, adapterLayers, parameter);
    if (this.#isTraining) {
      merged.dispose();
      throw new GraftError(`${this.name} began to be trained while it was merged`);
    }
    this.unmerge();
    this.#merged = merged;
    this.#replaceInference({ ...this.#recorded, merged: merged.products });
  }

  /** Undoes `merge`, and gives its memory back. */
  unmerge(): void {
    if (this.#merged === undefined) return;
    this.#replaceInference(this.#recorded);
    this.#merged.dispose();
    this.#merged = undefined;
  }

  /**
   * Replaces parameters by what `values` returns for each, from its name and its present value. Names as in
   * docs/formats.md. Throws RangeError where that is `undefined` or of another size.
   */
  setParameters(values: (name: string, present: Float32Array) => Float32Array | undefined): void {
    this.unmerge();
    for (const { name, length } of this.#layout.tensors) {
      const present = this.#layout.slice(this.#arena, name);
      const given = values(name, present);
      if (given?.length !== length) {
        throw new RangeError(`${name} needs ${length} numbers, ${given?.length ?? 'none'} were given`);
      }
      present.set(given);
    }
    this.#version += 1;
    this.#context.backend.write(this.#recorded.parameters, 0, this.#arena);
  }

  /** Frees the task's device memory; the backbone stays. */
  dispose(): void {
    this.unmerge();
    this.#inference.dispose();
    this.#dropped?.inference.dispose();
    this.#pretrained.dispose();
    for (const buffer of this.#buffers) buffer.dispose();
  }

  /** `dispose`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }

  /** Throws OptionError. */
  async #inferenceWithout(layers = 0): Promise<Inference> {
    checkDropLayers(layers, this.#spec, this.#context.encoder.config);
    if (layers === 0) return this.#inference;
    if (this.#dropped?.layers !== layers) {
      const recorded = await this.#pretrained.without(layers, this.#current);
      this.#dropped?.inference.dispose();
      this.#dropped = {
        layers,
        inference: new Inference(this.#context.backend, modelOf(recorded, 'tokens')),
      };
    }
    return this.#dropped.inference;
  }

  #replaceInference(recorded: RecordedTask): void {
    this.#current = recorded;
    this.#dropped?.inference.dispose();
    this.#dropped = undefined;
    this.#inference.dispose();
    this.#inference = new Inference(this.#context.backend, modelOf(recorded, 'tokens'));
  }

  #inferenceOptions({ signal, tokenBudget, onProgress }: PredictOptions): InferenceOptions {
    return { tokenBudget: this.#tokenBudget(tokenBudget, 64), signal, onProgress };
  }

  /** None where nothing lies below the lowest adapter, or no example comes twice. */
  #prefixCache(settings: TrainingSettings, tokenBudget: number): PrefixCache | undefined {
    const { prefixCacheBytes: memoryBytes, batchSize, epochs } = settings;
    if (memoryBytes === undefined || this.#spec.frozenLayers === 0 || epochs === 1) return undefined;
    const mostSequences = Math.max(batchSize, SEQUENCES_PER_RUN);
    return new PrefixCache(this.#context.backend, this.#recorded, {
      memoryBytes,
      tokenBudget,
      mostSequences,
    });
  }

  /** Throws OptionError for weights that cannot be, or a task without classes. */
  #weigh(choice: ClassWeights | undefined, examples: readonly EncodedExample[]): Weighing | undefined {
    if (choice === undefined) return undefined;
    const { head } = this.#spec;
    if (head.weigh === undefined) {
      throw new OptionError('classWeights', `a ${head.kind} task has no classes to weigh`, 'Leave it out');
    }
    return head.weigh(choice, examples);
  }

  #tokenBudget(given: number | 'auto' | undefined, batchSize: number): number {
    return resolveTokenBudget(given, this.#context.backend, batchSize, this.#spec.maxLength);
  }

  #doneReport(
    outcome: TrainingOutcome,
    activationBytes: number,
    backboneParameters: number,
    truncatedExamples: number,
    seconds: number,
    prefixCache: PrefixCacheReport | undefined,
  ): DoneReport {
    const { backend } = this.#context;
    const { dev, bestEpoch, steps, examplesPerSecond, tokensPerSecond } = outcome;
    return {
      type: 'done',
      backend: backend.name,
      device: backend.device.name,
      dev,
      bestEpoch,
      trainableParameters: this.trainableParameters,
      backboneParameters,
      trainedShare: this.trainableParameters / backboneParameters,
      steps,
      examplesPerSecond,
      tokensPerSecond,
      peakDeviceBytes: backend.memory.peak,
      activationBytes,
      seconds,
      truncatedExamples,
      prefixCache,
    };
  }
}

/** The forward pass to logits `[rows, C]`. */
function modelOf(task: RecordedTask, start: ScheduleStart): InferenceModel {
  return {
    columns: task.spec.head.outputs,
    rows: task.spec.head.rows,
    schedule: (capacity) => inferenceSchedule(task, capacity, start),
  };
}
