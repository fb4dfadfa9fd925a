import { adapterMethod } from '../adapters/methods';
import type { WeightStorage } from '../backends/frozen-matrix';
import { FileFormatError, OptionError } from '../errors';
import { readTaskFiles, type SavedTask } from '../formats/task-layouts';
import { openCheckpoint } from '../models/checkpoint';
import type { EncoderConfig } from '../models/config';
import { type FrozenEncoder, uploadEncoder } from '../models/frozen-encoder';
import { resolveBackboneSource } from '../platform/embedded';
import type { FileProgress, OpenOptions } from '../platform/files';
import { resolveSource, type SourceLike } from '../platform/resolve';
import type { Tokenizer } from '../tokenizer/tokenizer';
import { type AverageOptions, averageOf } from './average';
import { Embedder } from './embedder';
import { encodeTexts } from './heads/encode-texts';
import { makeTokenizer } from './load-tokenizer';
import { resolveTokenBudget } from './record-task';
import type { Runtime } from './runtime';
import { type CreateTaskOptions, type PredictOptions, Task } from './task';
import { layoutBackbone, readSettings } from './task-files';
import { TaskGroup } from './task-group';
import { resolveMaxLength, resolveTask, type TaskOptions } from './task-spec';
import type { TextInput } from './types';

/** How a backbone is loaded. */
export interface BackboneOptions extends OpenOptions {
  /** The device that it is for. */
  readonly runtime: Runtime;
  /**
   * How the frozen weights are kept in memory: 'f16' takes half of f32, 'int8' (a scale per output channel) a quarter. Sums are f32
   * always. Default 'f32'.
   */
  readonly weights?: WeightStorage | undefined;
  /** Called while files are fetched. */
  readonly onProgress?: ((progress: FileProgress) => void) | undefined;
}

/** For `embed`. */
export interface EmbedOptions extends Omit<PredictOptions, 'dropLayers'> {
  /** Most tokens of a text or pair, special tokens included; longer ones are cut. Default 128. */
  readonly maxLength?: number | undefined;
}

/** How a trained task is loaded. */
export interface LoadTaskOptions extends OpenOptions {
  /** The task whose adapter it was trained on: see `on` in CreateTaskOptions. */
  readonly on?: Task | undefined;
}

const WEIGHT_STORAGES: readonly WeightStorage[] = ['f32', 'f16', 'int8'];

/** A frozen pretrained encoder on a device, with its tokenizer; many tasks share it. */
export class Backbone {
  readonly #runtime: Runtime;
  readonly #encoder: FrozenEncoder;
  /** The one that belongs to its vocabulary. */
  readonly tokenizer: Tokenizer;
  /** The directory, URL or hub id that it came from. */
  readonly description: string;
  /** Made when it is first asked for. */
  #embedder: Promise<Embedder> | undefined;

  /** @internal `loadBackbone` makes them. */
  constructor(runtime: Runtime, encoder: FrozenEncoder, tokenizer: Tokenizer, description: string) {
    this.#runtime = runtime;
    this.#encoder = encoder;
    this.tokenizer = tokenizer;
    this.description = description;
  }

  /** Its sizes and settings. */
  get config(): EncoderConfig {
    return this.#encoder.config;
  }

  /** Numbers in the encoder, pooler included. */
  get parameterCount(): number {
    return this.#encoder.parameterCount;
  }

  /** What the weights take in memory, in bytes. */
  get byteLength(): number {
    return this.#encoder.byteLength;
  }

  /** A new, untrained task. Throws OptionError. */
  createTask(options: CreateTaskOptions): Promise<Task> {
    return Task.create(this.#context(), options);
  }

  /**
   * A new task whose parameters are the weighted mean of others', which must be of one method and shape; they stay as they are. As
   * `average_adapter` in Python's `adapters`, but that trained LayerNorms and, where labels are the same, heads have a mean, too.
   *
   * @throws OptionError for tasks that differ (with what), weights that do not fit, labels that differ where no `head` is given, or a
   *   task that stands on another; DeviceLimitError or OutOfDeviceMemoryError
   */
  async averageTasks(tasks: readonly Task[], options: AverageOptions = {}): Promise<Task> {
    const { options: taskOptions, saved } = averageOf(tasks, options);
    const task = await Task.create(this.#context(), taskOptions, saved);
    task.takesPairs = tasks.some(({ takesPairs }) => takesPairs);
    return task;
  }

  /**
   * Tasks of this backbone that predict together: texts of several tasks in one forward pass, or several tasks on the same texts.
   *
   * @throws OptionError for no task, one that is there twice, or one on another backbone
   */
  groupTasks(tasks: readonly Task[]): TaskGroup {
    return new TaskGroup(this.#context(), tasks);
  }

  /**
   * The frozen encoder's pooled output of each text (pair), `[hiddenSize]`, as tasks' heads read it, but without adapters:
   * features for a classifier of one's own, or for a comparison. BERT's pooled output is the tanh of a linear of [CLS]
   * (Devlin et al. 2019); where the checkpoint has no pooler, it is [CLS]'s last hidden state.
   *
   * @throws OptionError, DeviceLostError, OutOfDeviceMemoryError; the signal's reason where it is aborted
   */
  async embed(texts: readonly TextInput[], options: EmbedOptions = {}): Promise<Float32Array<ArrayBuffer>[]> {
    const { signal, onProgress } = options;
    const { compute } = this.#runtime;
    const maxLength = resolveMaxLength(options.maxLength, this.config);
    const tokenBudget = resolveTokenBudget(options.tokenBudget, compute, 64, maxLength);
    const { sequences } = encodeTexts(texts, this.tokenizer, { maxLength });
    this.#embedder ??= Embedder.create(compute, this.#encoder);
    const embedder = await this.#embedder.catch((error: unknown) => {
      this.#embedder = undefined;
      throw error;
    });
    return embedder.embed(sequences, { tokenBudget, signal, onProgress });
  }

  /**
   * A trained task from its files: Graft's, or those of Python's `adapters` for the methods that it has in common with Graft.
   * @throws FileAccessError, FileFormatError, UnsupportedModelError; AdapterMismatchError for another backbone's adapter, or one that
   *   stands on another than `on`
   */
  async loadTask(source: SourceLike, options: LoadTaskOptions = {}): Promise<Task> {
    const { config, description } = this;
    const backbone = { ...layoutBackbone(this.#encoder), description };
    const files = await readTaskFiles(await resolveSource(source), backbone, options);
    const { maxLength, takesPairs } = readSettings(files.settings, config);
    const taskOptions = { ...savedOptions(files, maxLength, this.#encoder), on: options.on };
    const task = await Task.create(this.#context(), taskOptions, files);
    task.takesPairs = takesPairs;
    return task;
  }

  /** Frees the weights; tasks on it cannot be used any more. */
  dispose(): void {
    this.#embedder?.then(
      (embedder) => embedder.dispose(),
      () => undefined,
    );
    this.#encoder.dispose();
    this.tokenizer.dispose();
  }

  /** `dispose`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }

  #context() {
    return { backend: this.#runtime.compute, encoder: this.#encoder, tokenizer: this.tokenizer };
  }
}

/** Throws FileFormatError where a file's method, options or layers do not exist. */
function savedOptions(files: SavedTask, maxLength: number, encoder: FrozenEncoder): TaskOptions {
  try {
    const adapter = adapterMethod(files.method, files.options);
    const options: TaskOptions = {
      maxLength,
      name: files.name,
      kind: files.taskKind,
      labels: files.labels,
      adapter,
      ...(adapter.canChooseLayers ? { adapterLayers: files.adapterLayers } : {}),
      ...(adapter.canChooseLayerNorm ? { layerNorm: files.layerNorms ? 'all' : 'none' } : {}),
    };
    resolveTask(options, encoder);
    return options;
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new FileFormatError('adapter_config.json', 'graft', error.message, undefined, { cause: error });
  }
}

/**
 * Loads graft-mini, the small backbone that comes with the package, and uploads its weights, once for all tasks.
 *
 * @throws FileAccessError where the package's files are not beside the library; DeviceLimitError or OutOfDeviceMemoryError
 */
export function loadBackbone(options: BackboneOptions): Promise<Backbone>;
/**
 * Loads a checkpoint in Hugging Face's layout and uploads its weights, once for all tasks.
 *
 * @param source a directory, a URL, a hub id ('organisation/name'), or files by name (bytes, blobs, URLs);
 *   'graft-mini' is the package's own
 * @throws FileAccessError, FileFormatError, UnsupportedModelError; DeviceLimitError or OutOfDeviceMemoryError; OptionError for a
 *   storage that does not exist
 */
export function loadBackbone(source: SourceLike, options: BackboneOptions): Promise<Backbone>;
export async function loadBackbone(
  ...given: [options: BackboneOptions] | [source: SourceLike, options: BackboneOptions]
): Promise<Backbone> {
  const [source, options] = given.length === 1 ? [undefined, given[0]] : given;
  const { runtime, weights, onProgress, signal } = options;
  if (weights !== undefined && !WEIGHT_STORAGES.includes(weights)) {
    throw new OptionError(
      'weights',
      `there is no storage "${weights}"`,
      `Choose ${WEIGHT_STORAGES.join(', ')}`,
    );
  }
  const checkpoint = await openCheckpoint(await resolveBackboneSource(source), { onProgress, signal });
  try {
    const tokenizer = await makeTokenizer(checkpoint.tokenizer, checkpoint.config.typeVocabularySize);
    const encoder = await uploadEncoder(checkpoint, runtime.compute, { weights, signal });
    return new Backbone(runtime, encoder, tokenizer, checkpoint.description);
  } finally {
    await checkpoint.close();
  }
}
