import { DataError } from '../../errors';
import type { EncodedExample } from '../batches';
import type { Example, Prediction, TaskExample } from '../types';
import { encodeTexts, requireTexts } from './encode-texts';
import type { Evaluation, Head } from './head';
import { rowsOf } from './logits';

/** What heads differ in that say one thing of each text: a row of logits `[C]` an example. */
export interface TextHead extends Pick<Head, 'kind' | 'outputs' | 'labelType' | 'loss' | 'weigh'> {
  /** The numbers of a label, as the loss reads them; undefined where it is none. */
  numbersOf(label: Example['label']): readonly number[] | undefined;
  /** What a label has to be, for messages: 'a finite number'. */
  readonly expected: string;
  predict(row: Float32Array): Prediction;
  /** @param actual the numbers of each example's label */
  evaluate(rows: readonly Float32Array[], actual: readonly (readonly number[])[]): Evaluation;
}

/** Throws DataError for an example of another kind of task. */
function requireText(example: TaskExample, index: number): Example {
  if ('label' in example) return example;
  throw new DataError(undefined, undefined, `example ${index + 1} has no label`, 'Give text and label');
}

/** A head from what is its own: one sequence a text, one row of logits a sequence. */
export function textHead(own: TextHead): Head {
  return {
    kind: own.kind,
    rows: 'sequences',
    outputs: own.outputs,
    labelType: own.labelType,
    loss: (tape, logits, weights) => own.loss(tape, logits, weights),
    weigh: own.weigh,
    predict: (row) => own.predict(row),
    encodeExamples(examples, tokenizer, limits) {
      const texts = examples.map(requireText);
      const labels = texts.map(({ label }, index) => {
        const numbers = own.numbersOf(label);
        if (numbers !== undefined) return numbers;
        throw new DataError(
          undefined,
          undefined,
          `example ${index + 1}: its label ${JSON.stringify(label)} is not ${own.expected}`,
        );
      });
      const { sequences, truncated } = encodeTexts(texts, tokenizer, limits);
      return {
        examples: sequences.map(
          (sequence, index): EncodedExample => ({ ...sequence, labels: labels[index] ?? [], weight: 1 }),
        ),
        truncated,
        evaluate: (logits) => own.evaluate(rowsOf(logits, own.outputs), labels),
      };
    },
    encodeTexts(texts, tokenizer, limits) {
      const { sequences } = encodeTexts(requireTexts(texts), tokenizer, limits);
      return {
        sequences,
        predictions: (logits) => rowsOf(logits, own.outputs).map((row) => own.predict(row)),
      };
    },
  };
}
