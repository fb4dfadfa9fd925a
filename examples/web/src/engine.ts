/**
 * What the page asks of its worker. All computing, reading and keeping of data happens there; the page draws. Calls travel through
 * Comlink, so every argument and result must be cloneable, and errors arrive as `EngineError`.
 *
 * The engine keeps everything (tasks with their examples, adapters, training states, settings) in IndexedDB as it changes: the
 * page can be closed at any time.
 */
import type { ClassificationMetrics, RegressionMetrics } from 'graft-ml';

export interface Engine {
  /** Opens the storage and tells what was kept. Call it first, once. Every change from then on is told to `listener`. */
  open(listener: (event: EngineEvent) => void): Promise<AppState>;

  /**
   * Opens a device. On WebGPU its kernels are checked against float64 first (once per device, remembered); one that computes
   * wrongly, and a missing one, give way to the CPU, and `DeviceState.note` says why.
   */
  chooseDevice(choice: DeviceChoice): Promise<DeviceState>;

  /** Replaces the backbone; tasks of another backbone stay kept, but cannot be used until theirs is loaded. */
  loadBackbone(choice: BackboneChoice): Promise<BackboneState>;
  cancelLoading(): Promise<void>;

  /** Text or a file in CSV, TSV, JSONL, or one example a line; finds out which, and which columns hold what. */
  readTable(source: string | File): Promise<TableGuess>;
  /** The same table under the user's choice of columns; `check` as for `setExamples`. */
  applyColumns(tableId: string, columns: ColumnChoice): Promise<TableExamples>;

  createTask(settings: TaskSettings): Promise<TaskState>;
  renameTask(taskId: string, name: string): Promise<TaskState>;
  removeTask(taskId: string): Promise<void>;
  examplesOf(taskId: string): Promise<ExampleRow[]>;
  /**
   * Replaces a task's examples. A task that was trained stays trained until it is trained again; a training that was paused
   * is forgotten where they differ.
   */
  setExamples(taskId: string, examples: readonly ExampleRow[]): Promise<DataCheck>;
  checkExamples(kind: TaskKind, examples: readonly ExampleRow[]): Promise<DataCheck>;

  /**
   * Starts a training, or goes on with a paused one, which keeps the options that it began with. Resolves when it has ended, been
   * paused or been cancelled. One task trains at a time in a tab, and no task in two tabs.
   */
  train(taskId: string, options: TrainOptions): Promise<TaskState>;
  /** Stops after the step at hand; its state is kept, over a reload too. */
  pause(taskId: string): Promise<void>;
  /** Stops and forgets the run; the task is what it was before. */
  cancel(taskId: string): Promise<void>;

  /** Also while a task trains: between two steps, with the parameters as they are. A paused one predicts with its former adapter. */
  predict(taskId: string, text: string, pair?: string): Promise<PredictionView>;

  /** AdapterHub's layout as one zip. */
  download(taskId: string): Promise<{ readonly fileName: string; readonly zip: Blob }>;
  /** A zip as `download` gives it, or an adapter's loose files. */
  upload(files: readonly File[]): Promise<TaskState>;
}

export type DeviceChoice = 'auto' | 'webgpu' | 'wasm';

export interface DeviceState {
  readonly choice: DeviceChoice;
  readonly backend: 'webgpu' | 'wasm';
  readonly name: string;
  /** For people: why not the one that was asked for, or why it is slower than it could be. */
  readonly note?: string | undefined;
}

export type BackboneChoice =
  | { readonly kind: 'embedded' }
  | { readonly kind: 'hub'; readonly id: string }
  | { readonly kind: 'files'; readonly files: readonly File[] };

export interface BackboneState {
  /** 'graft-mini', the hub id, or the names of the files. */
  readonly description: string;
  /** Of config, sizes and vocabulary: which tasks fit it. */
  readonly fingerprint: string;
  readonly parameters: number;
  /** In memory. */
  readonly byteLength: number;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly maxPositions: number;
}

export interface ExampleRow {
  readonly text: string;
  readonly pair?: string | undefined;
  /** As typed; a number where the task is a regression. May be empty while it is typed. */
  readonly label: string;
}

export interface TableGuess {
  readonly tableId: string;
  readonly format: 'csv' | 'tsv' | 'jsonl' | 'lines';
  readonly columns: readonly string[];
  /** The first rows, as they are. */
  readonly preview: readonly (readonly string[])[];
  readonly rowCount: number;
  readonly guess: ColumnChoice;
}

export interface ColumnChoice {
  readonly text: string;
  readonly pair?: string | undefined;
  readonly label: string;
}

export interface TableExamples {
  readonly examples: readonly ExampleRow[];
  readonly check: DataCheck;
}

/** What is to be known of examples before training. Rows count from 0. */
export interface DataCheck {
  readonly kind: TaskKind;
  readonly examples: number;
  /** Most frequent first; for a regression none. */
  readonly classes: readonly { readonly label: string; readonly count: number }[];
  /** Same text (and pair) and label as an earlier row. */
  readonly duplicates: readonly number[];
  /** Same text, another label. */
  readonly contradictions: readonly number[];
  /** Longer than `maxLength` tokens: their end is not read. Absent while no backbone is loaded. */
  readonly tooLong?: readonly number[] | undefined;
  readonly maxLength: number;
  /** Why training cannot start, with what to do; empty where it can. */
  readonly problems: readonly DataProblem[];
  /** What may make results worse: rare classes, few examples, … */
  readonly warnings: readonly DataProblem[];
}

export interface DataProblem {
  readonly message: string;
  readonly rows?: readonly number[] | undefined;
}

export interface TaskSettings {
  readonly name: string;
  readonly kind: TaskKind;
  /** Default 64. */
  readonly bottleneck?: number | undefined;
}

export interface TrainOptions {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly seed: number;
  /** Share of the examples held out, by label: they are not trained on, and all results are theirs. */
  readonly heldOut: number;
}

export type TaskStatus = 'new' | 'training' | 'paused' | 'trained';

export interface TaskState {
  readonly id: string;
  readonly name: string;
  readonly kind: TaskKind;
  readonly status: TaskStatus;
  /** Whether the backbone at hand is the one that it was trained on. */
  readonly fits: boolean;
  readonly backbone: string;
  readonly labels: readonly string[];
  readonly exampleCount: number;
  readonly takesPairs: boolean;
  /** Of the adapter's files; absent before it is trained. */
  readonly byteLength?: number | undefined;
  readonly trainableParameters?: number | undefined;
  /** Of the run at hand, or the last one. */
  readonly options?: TrainOptions | undefined;
  readonly progress?: TrainProgress | undefined;
  readonly curves: Curves;
  readonly result?: TaskResult | undefined;
  /** Something that the user should know: the storage is full, the device was lost and training goes on elsewhere, … */
  readonly note?: string | undefined;
}

export interface TrainProgress {
  readonly phase: 'preparing' | 'training' | 'evaluating' | 'comparing';
  readonly step: number;
  readonly totalSteps: number;
  readonly epoch: number;
  readonly examplesPerSecond: number;
  readonly secondsLeft?: number | undefined;
}

export interface Curves {
  readonly loss: readonly { readonly step: number; readonly loss: number }[];
  /** Accuracy, or Pearson's correlation, on the held-out examples after an epoch. */
  readonly dev: readonly { readonly step: number; readonly epoch: number; readonly score: number }[];
}

export interface TaskResult {
  readonly metrics: ClassificationMetrics | RegressionMetrics;
  /** Wrong with the highest probability first; for a regression the farthest off. Held-out examples. */
  readonly mistakes: readonly Mistake[];
  /**
   * The frozen backbone's pooled output and a logistic regression (ridge regression for a regression task) on the same
   * examples: what one gets without adapters.
   */
  readonly baseline: { readonly score: number; readonly seconds: number; readonly note?: string | undefined };
  readonly seconds: number;
  readonly bestEpoch: number;
  readonly device: string;
}

export interface Mistake {
  /** Row of the task's examples. */
  readonly row: number;
  readonly text: string;
  readonly pair?: string | undefined;
  readonly expected: string;
  readonly predicted: string;
  /** Probability of `predicted`; absent for a regression. */
  readonly score?: number | undefined;
}

/** The kinds of tasks that the application has: some of the library's. */
export type TaskKind = 'classification' | 'regression';

export type PredictionView =
  | {
      readonly kind: 'classification';
      readonly label: string;
      readonly scores: readonly { readonly label: string; readonly score: number }[];
      readonly milliseconds: number;
    }
  | { readonly kind: 'regression'; readonly value: number; readonly milliseconds: number };

export interface AppState {
  readonly device?: DeviceState | undefined;
  readonly backbone?: BackboneState | undefined;
  /** What was chosen last time; the engine loads it of itself, telling by events. */
  readonly backboneChoice: BackboneChoice;
  readonly tasks: readonly TaskState[];
  readonly storage: StorageState;
}

export interface StorageState {
  /** False where the browser gives no storage (a private window): everything works, nothing survives. */
  readonly available: boolean;
  readonly usedBytes?: number | undefined;
  readonly note?: string | undefined;
}

export type EngineEvent =
  | { readonly type: 'device'; readonly device: DeviceState }
  | { readonly type: 'checking-device'; readonly done: number; readonly total: number }
  | {
      readonly type: 'loading';
      readonly file: string;
      readonly loaded: number;
      readonly total?: number | undefined;
    }
  | { readonly type: 'backbone'; readonly backbone: BackboneState }
  | { readonly type: 'backbone-failed'; readonly error: EngineError }
  /** A task that is new or has changed: in this tab or another one. */
  | { readonly type: 'task'; readonly task: TaskState }
  /** One step of the task that trains; the task's own curves follow at the end of each epoch. */
  | {
      readonly type: 'step';
      readonly taskId: string;
      readonly loss: number;
      readonly progress: TrainProgress;
    }
  | { readonly type: 'task-removed'; readonly taskId: string }
  | { readonly type: 'storage'; readonly storage: StorageState };

/** An error of the library or the engine as it crosses the thread's border. */
export interface EngineError {
  /** 'DataError', 'FileFormatError', 'DeviceLostError', … */
  readonly name: string;
  readonly message: string;
  readonly hint?: string | undefined;
}
