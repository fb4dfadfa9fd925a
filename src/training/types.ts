/** What goes into training and what comes out of it: the types that the public API, the trainer and the metrics share. */
import type { EntityScores, EntityTypeScores } from './entity-metrics';
import type { SpanMetrics } from './span-metrics';

/** One labelled example. */
export interface Example {
  /** The text, or the first one of a pair. */
  readonly text: string;
  /** The second text, for tasks over pairs. */
  readonly pair?: string | undefined;
  /** What the task is to learn to say: one of its labels (classification), a list of them (multi-label), or a number (regression). */
  readonly label: string | number | readonly string[];
}

/** A text, or a pair of texts, to predict. */
export type TextInput = string | TextPair;

/** A labelled text for token classification, split into words. */
export interface TokenExample {
  /** The words. */
  readonly tokens: readonly string[];
  /** As many: each one of the task's labels, mostly `B-type`, `I-type` and `O`. */
  readonly labels: readonly string[];
}

/** A text that is split into words already, to predict. */
export interface TokensInput {
  /** The words. */
  readonly tokens: readonly string[];
}

/** A part of a context. */
export interface Answer {
  /** As it stands in the context. */
  readonly text: string;
  /** Where it begins there, in UTF-16 code units: `context.startsWith(text, start)`. */
  readonly start: number;
}

/** A question about a context, to predict. */
export interface QuestionInput {
  /** What is asked. */
  readonly question: string;
  /** The text that holds the answer. */
  readonly context: string;
}

/** A question with its right answers. */
export interface QuestionExample extends QuestionInput {
  /** The first one is learnt; any is right in the evaluation. Empty where the context does not answer the question. */
  readonly answers: readonly Answer[];
}

/** A labelled example of any kind of task. */
export type TaskExample = Example | TokenExample | QuestionExample;

/** What a task of any kind can be asked about. */
export type TaskInput = TextInput | TokensInput | QuestionInput;

/** A text with, perhaps, a second one. */
export interface TextPair {
  /** The text, or the first one of a pair. */
  readonly text: string;
  /** The second text, for tasks over pairs. */
  readonly pair?: string | undefined;
}

/** One label out of several, any number of them, or a number; a label for each word; a part of a text. */
export type TaskKind =
  | 'classification'
  | 'multi-label'
  | 'regression'
  | 'token-classification'
  | 'question-answering';

/** Metrics of a classification task. All in [0, 1], except Matthews in [-1, 1]. */
export interface ClassificationMetrics {
  /** Share of the examples whose label was predicted. */
  readonly accuracy: number;
  /** Two labels: F1 of the second label (GLUE's positive class). More: the unweighted mean over the labels. */
  readonly f1: number;
  /** Matthews' correlation, for any number of labels; 0 where all predictions or all labels are one. */
  readonly matthews: number;
  /** `confusion[actual][predicted]`, in the order of the task's labels. */
  readonly confusion: readonly (readonly number[])[];
  /** Cross-entropy, mean over the examples. */
  readonly loss: number;
  /** How many there were. */
  readonly examples: number;
}

/** Metrics of a multi-label task, in [0, 1]; as scikit-learn defines them, 0 where a score is 0/0. */
export interface MultiLabelMetrics {
  /** Share of the examples of which exactly the right labels were predicted. */
  readonly exactMatch: number;
  /** F1 over all pairs of example and label. */
  readonly microF1: number;
  /** Unweighted mean of the labels' F1. */
  readonly macroF1: number;
  /** F1 of each label, in the order of the task's labels. */
  readonly labelF1: readonly number[];
  /** Binary cross-entropy, mean over the examples and labels. */
  readonly loss: number;
  /** How many there were. */
  readonly examples: number;
}

/** Metrics of a regression task. */
export interface RegressionMetrics {
  /** Correlation of values, in [-1, 1]; 0 where all predictions or all labels are equal. */
  readonly pearson: number;
  /** Correlation of ranks; ties have their mean rank. */
  readonly spearman: number;
  /** On the labels' scale, squared. */
  readonly meanSquaredError: number;
  /** As training has it: the squared error, mean over the examples. */
  readonly loss: number;
  /** How many there were. */
  readonly examples: number;
}

/**
 * Metrics of a token classification task, in [0, 1]: of whole entities, which are right where their words and type are. As seqeval
 * counts them.
 */
export interface TokenClassificationMetrics extends EntityScores {
  /** Share of the words whose label was predicted. */
  readonly tokenAccuracy: number;
  /** By type of entity, sorted by name. */
  readonly byType: Readonly<Record<string, EntityTypeScores>>;
  /** Cross-entropy, mean over the words. */
  readonly loss: number;
  /** How many there were. */
  readonly examples: number;
}

/** Metrics of a question answering task, in [0, 1], as SQuAD's scripts count them: version 2.0's where a question has no answer. */
export interface QuestionAnsweringMetrics extends SpanMetrics {
  /** Mean of the cross-entropies of start and end, over all windows of the contexts. */
  readonly loss: number;
  /** How many questions there were. */
  readonly examples: number;
}

/** `'confusion' in`, `'microF1' in`, `'pearson' in`, `'byType' in` and `'exactMatch' in metrics` tell them apart: in this order. */
export type Metrics =
  | ClassificationMetrics
  | MultiLabelMetrics
  | RegressionMetrics
  | TokenClassificationMetrics
  | QuestionAnsweringMetrics;

/** What a classification task says of a text. */
export interface ClassificationPrediction {
  /** The most probable one. */
  readonly label: string;
  /** The probability of `label`. */
  readonly score: number;
  /** The probability of every label. */
  readonly scores: Readonly<Record<string, number>>;
}

/** What a multi-label task says of a text. */
export interface MultiLabelPrediction {
  /** Those whose probability is above 0.5, in the order of the task's labels; perhaps none. */
  readonly labels: readonly string[];
  /** The probability of every label; they do not add up to 1. */
  readonly scores: Readonly<Record<string, number>>;
}

/** What a regression task says of a text. */
export interface RegressionPrediction {
  /** On the scale of the training examples' labels. */
  readonly value: number;
}

/** A word and its label. */
export interface LabelledToken {
  /** The word. */
  readonly text: string;
  /** The most probable label. */
  readonly label: string;
  /** Its probability; 0 for a word of which the tokenizer leaves nothing. */
  readonly score: number;
}

/** Words in a row that are one thing. */
export interface Entity {
  /** The label without `B-` or `I-`. */
  readonly type: string;
  /** As it stands in the text; of a list of words, with blanks between. */
  readonly text: string;
  /** In the text: `text.slice(start, end)`; where a list of words was given, in that. */
  readonly start: number;
  /** Likewise: behind its last code unit, or word. */
  readonly end: number;
  /** Mean probability of its words' labels. */
  readonly score: number;
}

/** What a token classification task says of a text. */
export interface TokenClassificationPrediction {
  /** In their order; perhaps none. */
  readonly entities: readonly Entity[];
  /** All words, in their order. */
  readonly tokens: readonly LabelledToken[];
}

/** A part of a context that may be the answer. */
export interface AnswerCandidate {
  /** `context.slice(start, end)` */
  readonly answer: string;
  /** In the context, in UTF-16 code units. */
  readonly start: number;
  /** Likewise, behind its last one. */
  readonly end: number;
  /** Its probability among the candidates. */
  readonly score: number;
}

/** What a question answering task says of a question: the best candidate, empty where the context has no tokens. */
export interface QuestionAnsweringPrediction extends AnswerCandidate {
  /**
   * How much more speaks for there being no answer than for this one, in logits: SQuAD 2.0's `null_score_diff`. Above 0 a task that was
   * trained on questions with and without answers holds that the context has none; of another task it says nothing. Infinite where
   * there is no candidate.
   */
  readonly noAnswerMargin: number;
  /** The best 20, the best first. */
  readonly candidates: readonly AnswerCandidate[];
}

/** `'label' in`, `'labels' in`, `'value' in`, `'entities' in` and `'answer' in prediction` tell them apart. */
export type Prediction =
  | ClassificationPrediction
  | MultiLabelPrediction
  | RegressionPrediction
  | TokenClassificationPrediction
  | QuestionAnsweringPrediction;

/** How to train; defaults are the paper's recipe. */
export interface TrainingOptions {
  /** Passes over the examples. Default 3. */
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
  /**
   * How much each label counts in training, where some are rare. 'balanced': examples / (labels · examples with the label), as
   * scikit-learn has it, of entities words in the place of examples; in a multi-label task examples without the label / examples
   * with it. Or numbers by label; what is not named counts 1. The loss of one label for a text or word is then the weighted mean,
   * in a multi-label task the weight is that of an example that has the label (PyTorch's `weight` and `pos_weight`). Metrics' losses
   * stay unweighted. Default: all count 1.
   */
  readonly classWeights?: ClassWeights | undefined;
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
  readonly dev?: readonly TaskExample[] | undefined;
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
  readonly checkpointEvery?:
    | number
    | {
        /** The least time between two of them. */
        readonly seconds: number;
      };
  /** Stops the training after the step at hand; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** How much each label counts in training: see `classWeights` in TrainingOptions. */
export type ClassWeights = 'balanced' | Readonly<Record<string, number>>;

/** Where the frozen layers' output is kept: see `prefixCache` in TrainingOptions. */
export type PrefixCacheOption =
  | 'auto'
  | 'off'
  | 'disk'
  | {
      /** The most to keep in memory, before the disk. */
      readonly memoryBytes: number;
    };

/** What is kept of the layers below the lowest adapter. */
export interface PrefixCacheReport {
  /** How many encoder layers lie below it: all, where the head alone is trained. */
  readonly layers: number;
  /** Training and dev examples whose hidden states are kept. */
  readonly examples: number;
  /** Of them in memory. */
  readonly memoryBytes: number;
  /** Of them on the disk. */
  readonly diskBytes: number;
  /** Why some examples are not kept but computed each time: a full disk, for instance. */
  readonly note: string | undefined;
}

/** After each optimizer step. */
export interface StepReport {
  /** Tells it from the other reports. */
  readonly type: 'step';
  /** Counts from 1. */
  readonly step: number;
  /** Of the whole run. */
  readonly totalSteps: number;
  /** Counts from 1. */
  readonly epoch: number;
  /** Mean over the step's examples; with `classWeights` as they weigh it. */
  readonly loss: number;
  /** As the schedule had it for this step. */
  readonly learningRate: number;
  /** Global norm of the gradient before clipping. */
  readonly gradientNorm: number;
  /** Over the whole run so far, evaluation not counted. */
  readonly examplesPerSecond: number;
  /** Likewise; special tokens included. */
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
  /** Clipping and AdamW. */
  readonly optimizer: number;
  /** Writing the new parameters to the device. */
  readonly upload: number;
}

/** At the end of each epoch. */
export interface EpochReport {
  /** Tells it from the other reports. */
  readonly type: 'epoch';
  /** Counts from 1. */
  readonly epoch: number;
  /** Optimizer steps done so far. */
  readonly step: number;
  /** Mean training loss over the epoch. */
  readonly trainLoss: number;
  /** On the dev examples; undefined without them. */
  readonly dev: Metrics | undefined;
  /** Whether this epoch's dev score is the best so far. */
  readonly best: boolean;
  /** Absent where no such cache is used. */
  readonly prefixCache?: PrefixCacheReport | undefined;
}

/** The last report of a training. */
export interface DoneReport {
  /** Tells it from the other reports. */
  readonly type: 'done';
  /** 'webgpu' or 'wasm'. */
  readonly backend: string;
  /** The device's name. */
  readonly device: string;
  /** Of the parameters that were kept; undefined without `dev`. */
  readonly dev: Metrics | undefined;
  /** Whose parameters were kept; the last without `dev`. */
  readonly bestEpoch: number;
  /** Numbers that were trained. */
  readonly trainableParameters: number;
  /** Numbers in the frozen backbone. */
  readonly backboneParameters: number;
  /** trainableParameters / backboneParameters. */
  readonly trainedShare: number;
  /** Optimizer steps of the whole run, those before a resumption included. */
  readonly steps: number;
  /** Of this run, evaluation not counted. */
  readonly examplesPerSecond: number;
  /** Likewise; special tokens included. */
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

/** What `Task.train` yields; `type` tells them apart. */
export type TrainingReport = StepReport | EpochReport | DoneReport;
