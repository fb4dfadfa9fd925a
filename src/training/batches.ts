import { OptionError } from '../errors';
import { type PackedBatch, packBatch, type TokenSequence } from '../scheduler/packed-batch';

/** An example after the tokenizer. */
export interface EncodedExample extends TokenSequence {
  /** Its part of the batch's table of labels: class numbers or target values, as the head's loss reads them. */
  readonly labels: ArrayLike<number>;
  /** What it adds to the number that the logical batch's sum of losses is divided by: 1, or a weight. */
  readonly weight: number;
}

/** How labels travel: class numbers as u32, target values as f32. */
export type LabelType = 'u32' | 'f32';

export interface BatchOptions {
  /** Sequences in one logical batch, that is, per optimizer step. */
  readonly batchSize: number;
  /** Most tokens in one micro-batch. */
  readonly tokenBudget: number;
  /** Their type, or none (prediction). */
  readonly labels: LabelType | 'none';
}

/** The sequences of one optimizer step, as micro-batches whose gradients add up to those of the whole. */
export interface LogicalBatch {
  readonly sequenceCount: number;
  readonly tokenCount: number;
  /** Sum of the examples' weights: the divisor of the summed losses. */
  readonly weight: number;
  readonly microBatches: readonly PackedBatch[];
  /** The examples of each micro-batch, in its order. */
  readonly members: readonly (readonly EncodedExample[])[];
}

/** Logical batches in one pass over `exampleCount` examples; the last may be smaller than `batchSize`. */
export function batchCount(exampleCount: number, batchSize: number): number {
  return Math.ceil(exampleCount / batchSize);
}

/**
 * The logical batches of one pass over `examples` in the given `order` (indices), from the batch number `first` on:
 * a resumed run begins in the middle of its epoch. Micro-batches are filled in that order with whole sequences, each
 * until the next one would exceed the budget.
 * @throws OptionError when batchSize or tokenBudget is not a positive whole number, or a sequence exceeds the budget:
 * at the call, before the first batch
 */
export function batches(
  examples: readonly EncodedExample[],
  order: ArrayLike<number>,
  options: BatchOptions,
  first = 0,
): Iterable<LogicalBatch> {
  const { batchSize, tokenBudget } = options;
  requirePositive('batchSize', batchSize);
  requirePositive('tokenBudget', tokenBudget);
  const ordered = Array.from(order, (index) => exampleAt(examples, index));
  for (const { ids } of ordered) {
    if (ids.length > tokenBudget) {
      throw new OptionError(
        'tokenBudget',
        `a sequence of ${ids.length} tokens does not fit into a budget of ${tokenBudget}`,
        `Set it to ${ids.length} or more, or the maximum length to ${tokenBudget} or less`,
      );
    }
  }
  return generate(ordered, options, first);
}

function* generate(
  ordered: readonly EncodedExample[],
  { batchSize, tokenBudget, labels }: BatchOptions,
  first: number,
): Generator<LogicalBatch> {
  for (let start = first * batchSize; start < ordered.length; start += batchSize) {
    const members = fill(ordered.slice(start, start + batchSize), tokenBudget);
    const microBatches: PackedBatch[] = [];
    let tokenCount = 0;
    let sequenceCount = 0;
    for (const sequences of members) {
      const packed = packBatch({
        sequences,
        labels: labelArray(sequences, labels),
        tokenOffset: tokenCount,
        sequenceOffset: sequenceCount,
      });
      microBatches.push(packed);
      tokenCount += packed.tokenCount;
      sequenceCount += packed.sequenceCount;
    }
    const weight = members.flat().reduce((sum, example) => sum + example.weight, 0);
    yield { sequenceCount, tokenCount, weight, microBatches, members };
  }
}

/** Cuts a logical batch where the next whole sequence would exceed the budget. */
function fill(members: readonly EncodedExample[], tokenBudget: number): EncodedExample[][] {
  const groups: EncodedExample[][] = [];
  let group: EncodedExample[] = [];
  let tokens = 0;
  for (const member of members) {
    if (group.length > 0 && tokens + member.ids.length > tokenBudget) {
      groups.push(group);
      group = [];
      tokens = 0;
    }
    group.push(member);
    tokens += member.ids.length;
  }
  groups.push(group);
  return groups;
}

function labelArray(
  examples: readonly EncodedExample[],
  type: BatchOptions['labels'],
): PackedBatch['labels'] {
  if (type === 'none') return new Uint32Array(0);
  const labels = examples.flatMap((example) => Array.from(example.labels));
  return type === 'u32' ? new Uint32Array(labels) : new Float32Array(labels);
}

function exampleAt(examples: readonly EncodedExample[], index: number): EncodedExample {
  const example = examples[index];
  if (example === undefined)
    throw new OptionError('order', `${index} is not one of ${examples.length} examples`);
  return example;
}

function requirePositive(option: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new OptionError(option, `${value} is not a whole number of at least 1`);
  }
}
