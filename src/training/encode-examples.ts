import { DataError } from '../errors';
import type { Tokenizer } from '../tokenizer/tokenizer';
import type { EncodedExample } from './batches';
import type { TaskSpec } from './task-spec';
import type { Example, TextInput } from './types';

export interface EncodedExamples {
  readonly examples: readonly EncodedExample[];
  /** How many were longer than the maximum length and lost their end. */
  readonly truncated: number;
}

/** Tokens and class numbers (or target values) of labelled examples. Throws DataError naming the example, counted from 1. */
export function encodeExamples(
  examples: readonly Example[],
  tokenizer: Tokenizer,
  spec: TaskSpec,
): EncodedExamples {
  const numbers = new Map(spec.labels.map((label, index) => [label, index]));
  const labels = examples.map(({ label }, index) => {
    const number = spec.kind === 'regression' ? Number(label) : numbers.get(String(label));
    if (number === undefined || !Number.isFinite(number) || label === '') {
      const expected =
        spec.kind === 'regression' ? 'a finite number' : `one of the task's labels (${listLabels(spec)})`;
      throw new DataError(
        undefined,
        undefined,
        `example ${index + 1}: its label ${JSON.stringify(label)} is not ${expected}`,
      );
    }
    return number;
  });
  const { encoded, truncated } = encodeTexts(examples, tokenizer, spec);
  return {
    examples: encoded.map((sequence, index) => ({ ...sequence, label: labels[index] ?? 0 })),
    truncated,
  };
}

/** Tokens of texts or pairs, without labels. */
export function encodeTexts(
  texts: readonly TextInput[],
  tokenizer: Tokenizer,
  spec: Pick<TaskSpec, 'maxLength'>,
) {
  let truncated = 0;
  const encoded = texts.map((input): EncodedExample => {
    const { text, pair } = typeof input === 'string' ? { text: input, pair: undefined } : input;
    const encoding = tokenizer.encode(text, pair, { maxLength: spec.maxLength });
    if (encoding.truncated) truncated += 1;
    return { ids: encoding.ids, typeIds: encoding.typeIds, label: 0 };
  });
  return { encoded, truncated };
}

function listLabels({ labels }: TaskSpec): string {
  const shown = labels.slice(0, 10).map((label) => JSON.stringify(label));
  return shown.join(', ') + (labels.length > shown.length ? `, … ${labels.length} in all` : '');
}
