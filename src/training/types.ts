/** What goes into training and what comes out of it: the types that the public API, the trainer and the metrics share. */

/** One labelled example. `label` is one of the task's labels (classification) or a number (regression). */
export interface Example {
  readonly text: string;
  /** The second text, for tasks over pairs. */
  readonly pair?: string | undefined;
  readonly label: string | number;
}

/** A text, or a pair of texts, to predict. */
export type TextInput = string | { readonly text: string; readonly pair?: string | undefined };

export type TaskKind = 'classification' | 'regression';

/** Metrics of a classification task. All in [0, 1], except Matthews in [-1, 1]. */
export interface ClassificationMetrics {
  readonly accuracy: number;
  /** Two labels: F1 of the second label (GLUE's positive class). More: the unweighted mean over the labels. */
  readonly f1: number;
  readonly matthews: number;
  /** `confusion[actual][predicted]`, in the order of the task's labels. */
  readonly confusion: readonly (readonly number[])[];
  readonly loss: number;
  readonly examples: number;
}

/** Metrics of a regression task. */
export interface RegressionMetrics {
  readonly pearson: number;
  readonly spearman: number;
  readonly meanSquaredError: number;
  readonly loss: number;
  readonly examples: number;
}

export type Metrics = ClassificationMetrics | RegressionMetrics;

export interface ClassificationPrediction {
  readonly label: string;
  /** The probability of `label`. */
  readonly score: number;
  /** The probability of every label. */
  readonly scores: Readonly<Record<string, number>>;
}

export interface RegressionPrediction {
  readonly value: number;
}

export type Prediction = ClassificationPrediction | RegressionPrediction;

export interface TrainingOptions {
  /** Default 3. */
  readonly epochs?: number;
  /** Sequences per optimizer step. Default 32. */
  readonly batchSize?: number;
  /** Peak, reached at the end of the warm-up. Default 3e-4. */
  readonly learningRate?: number;
  /** Share of all steps over which the learning rate rises linearly from 0. Default 0.1. */
  readonly warmupRatio?: number;
  /** AdamW's decoupled decay; not applied to LayerNorm and biases. Default 0.01. */
  readonly weightDecay?: number;
  /** Largest global norm of the gradient; 0 turns clipping off. Default 1. */
  readonly clipNorm?: number;
  /** AdamW's bias correction; the authors' code has none. Default false. */
  readonly biasCorrection?: boolean;
  /** Order of the examples and dropout masks. Default 0. */
  readonly seed?: number;
  /** False keeps the examples in the order given. Default true. */
  readonly shuffle?: boolean;
  /** Most tokens in one micro-batch; bounds device memory. 'auto' (default) asks the device. */
  readonly tokenBudget?: number | 'auto';
  /**
   * Save the layers' inputs alone and compute their activations again in the backward pass: a third of the memory or less,
   * about a quarter more time, the same results. Default false.
   */
  readonly recompute?: boolean;
  /**
   * Where the output of the layers below the lowest adapter is kept, so that each example passes them once and not in every
   * epoch: 'auto' (default), in up to 512 MiB of memory, beyond that on the disk; 'disk', on the disk alone; `memoryBytes`, a
   * limit of one's own before the disk; 'off', nowhere. It takes tokens × hidden size × 4 bytes. On the disk it is a
   * temporary file (Node, Deno) or in the browser's private file system (OPFS), and goes when the run ends. Results are the
   * same in any case. Without effect where the lowest layer has an adapter, or with one epoch.
   */
  readonly prefixCache?: PrefixCacheOption | undefined;
  /** Evaluated after every epoch; the best epoch's parameters are kept. */
  readonly dev?: readonly Example[] | undefined;
  /** Stop after this many epochs without a better dev score. Needs `dev`. */
  readonly patience?: number | undefined;
  /**
   * A state that `onCheckpoint` was given earlier: training goes on from there, to the same bytes. On another device or
   * backend it may go on too: the order of examples and the dropout masks are the same, sums are rounded otherwise.
   */
  readonly resume?: Uint8Array | undefined;
  /**
   * Given a resumable state as often as `checkpointEvery` says, at each epoch's end, and before `train` throws because it was
   * aborted or the device was lost.
   */
  readonly onCheckpoint?: ((state: Uint8Array<ArrayBuffer>) => Promise<void>) | undefined;
  /** In optimizer steps, or by time, to the next step's end. Default 100 steps. */
  readonly checkpointEvery?: number | { readonly seconds: number };
  readonly signal?: AbortSignal | undefined;
}

export type PrefixCacheOption = 'auto' | 'off' | 'disk' | { readonly memoryBytes: number };

/** What is kept of the layers below the lowest adapter. */
export interface PrefixCacheReport {
  /** How many encoder layers lie below it. */
  readonly layers: number;
  /** Training and dev examples whose hidden states are kept. */
  readonly examples: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  /** Why some examples are not kept but computed each time: a full disk, for instance. */
  readonly note: string | undefined;
}

export interface StepReport {
  readonly type: 'step';
  /** Counts from 1. */
  readonly step: number;
  readonly totalSteps: number;
  /** Counts from 1. */
  readonly epoch: number;
  /** Mean over the step's examples. */
  readonly loss: number;
  readonly learningRate: number;
  /** Global norm of the gradient before clipping. */
  readonly gradientNorm: number;
  /** Over the whole run so far, evaluation not counted. */
  readonly examplesPerSecond: number;
  readonly tokensPerSecond: number;
  /** Where the step's time went. */
  readonly timings: StepTimings;
}

/** Milliseconds of wall time; all but `device` is time of this thread. */
export interface StepTimings {
  /** Packing the batch and encoding its commands. */
  readonly encode: number;
  /** Waiting for the device. */
  readonly device: number;
  /** Copying the gradients to the optimizer. */
  readonly readBack: number;
  readonly optimizer: number;
  /** Writing the new parameters to the device. */
  readonly upload: number;
}

export interface EpochReport {
  readonly type: 'epoch';
  readonly epoch: number;
  readonly step: number;
  /** Mean training loss over the epoch. */
  readonly trainLoss: number;
  readonly dev: Metrics | undefined;
  /** Whether this epoch's dev score is the best so far. */
  readonly best: boolean;
  /** Absent where no such cache is used. */
  readonly prefixCache?: PrefixCacheReport | undefined;
}

export interface DoneReport {
  readonly type: 'done';
  readonly backend: string;
  readonly device: string;
  /** Of the parameters that were kept; undefined without `dev`. */
  readonly dev: Metrics | undefined;
  readonly bestEpoch: number;
  readonly trainableParameters: number;
  readonly backboneParameters: number;
  /** trainableParameters / backboneParameters. */
  readonly trainedShare: number;
  readonly steps: number;
  readonly examplesPerSecond: number;
  readonly tokensPerSecond: number;
  /** Largest device memory held at once, in bytes, weights included. */
  readonly peakDeviceBytes: number;
  /** What a training step's tensors take of it, in bytes: `tokenBudget` and `recompute` govern it. */
  readonly activationBytes: number;
  /** Wall time of this run, in seconds. */
  readonly seconds: number;
  /** Training examples longer than the maximum length, whose end was cut off. */
  readonly truncatedExamples: number;
  /** Absent where no such cache was used. */
  readonly prefixCache?: PrefixCacheReport | undefined;
}

export type TrainingReport = StepReport | EpochReport | DoneReport;
