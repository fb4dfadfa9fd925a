import { DataError } from '../../errors';
import type { Tokenizer } from '../../tokenizer/tokenizer';
import type { EncodedExample } from '../batches';
import type { TaskInput, TextInput } from '../types';
import type { TextLimits } from './head';

export interface EncodedTexts {
  /** A sequence a text, without labels. */
  readonly sequences: readonly EncodedExample[];
  /** How many were longer than the maximum length and lost their end. */
  readonly truncated: number;
}

/** The inputs of a task of texts. Throws DataError for those that are of another kind of task. */
export function requireTexts(inputs: readonly TaskInput[]): TextInput[] {
  return inputs.map((input, index) => {
    if (typeof input === 'string' || 'text' in input) return input;
    throw new DataError(
      undefined,
      undefined,
      `text ${index + 1} is no text`,
      'Give a text, or { text, pair }',
    );
  });
}

/** Tokens of texts or pairs. */
export function encodeTexts(
  texts: readonly TextInput[],
  tokenizer: Tokenizer,
  { maxLength }: TextLimits,
): EncodedTexts {
  let truncated = 0;
  const sequences = texts.map((input): EncodedExample => {
    const { text, pair } = typeof input === 'string' ? { text: input, pair: undefined } : input;
    const encoding = tokenizer.encode(text, pair, { maxLength });
    if (encoding.truncated) truncated += 1;
    return { ids: encoding.ids, typeIds: encoding.typeIds, labels: [], weight: 0 };
  });
  return { sequences, truncated };
}
