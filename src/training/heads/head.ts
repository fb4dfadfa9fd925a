import type { Tape, Tensor } from '../../scheduler/tape';
import type { Tokenizer } from '../../tokenizer/tokenizer';
import type { EncodedExample, LabelType } from '../batches';
import type { ClassWeights, Metrics, Prediction, TaskExample, TaskInput, TaskKind } from '../types';

/**
 * What a task says of its texts, and how that is learnt: a kind of task as one object. A linear stands before it, with a row for
 * each sequence or each token.
 */
export interface Head {
  readonly kind: TaskKind;
  /** What the logits have a row for: each sequence, from its pooled first token, or each token. */
  readonly rows: 'sequences' | 'tokens';
  /** C: columns of the logits. */
  readonly outputs: number;
  /** Of the numbers in an encoded example's `labels`. */
  readonly labelType: LabelType;
  /** Most tokens of a sequence where the user names none. Default 128. */
  readonly defaultMaxLength?: number | undefined;
  /** Labelled examples as sequences; an example may take several. Throws DataError naming the example, counted from 1. */
  encodeExamples(examples: readonly TaskExample[], tokenizer: Tokenizer, limits: TextLimits): LabelledSet;
  /** What a row of logits `[C]` says, of a head that says one thing of each text. */
  readonly predict?: ((row: Float32Array) => Prediction) | undefined;
  /** Texts to predict. */
  encodeTexts(texts: readonly TaskInput[], tokenizer: Tokenizer, limits: TextLimits): TextSet;
  /**
   * The losses of logits `[rows, C]` against the batch's table of labels: their sum is to be divided by the examples' weights.
   * @param weights of the classes, `[1, C]`
   */
  loss(tape: Tape, logits: Tensor, weights?: Tensor): Tensor;
  /**
   * Weights for the loss, and the training examples with what they then weigh; absent where there are no classes. Throws
   * OptionError.
   */
  readonly weigh?: ((choice: ClassWeights, examples: readonly EncodedExample[]) => Weighing) | undefined;
}

export interface Weighing {
  /** `[C]` */
  readonly weights: Float32Array<ArrayBuffer>;
  readonly examples: readonly EncodedExample[];
}

export interface TextLimits {
  /** Most tokens of a sequence, special tokens included. */
  readonly maxLength: number;
}

/** Encoded examples, and what the logits of all their sequences, in this order, `[rows, C]`, say about them. */
export interface LabelledSet {
  readonly examples: readonly EncodedExample[];
  /** How many were longer than the maximum length and lost their end. */
  readonly truncated: number;
  evaluate(logits: Float32Array): Evaluation;
}

export interface Evaluation {
  readonly metrics: Metrics;
  /** The number that decides which epoch is best: the larger, the better. */
  readonly score: number;
}

/** Encoded texts, and what the logits of all their sequences, in this order, `[rows, C]`, come to: a prediction a text. */
export interface TextSet {
  readonly sequences: readonly EncodedExample[];
  predictions(logits: Float32Array): Prediction[];
}
