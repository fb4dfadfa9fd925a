import type { Tokenizer } from '../../tokenizer/tokenizer';
import type { EncodedExample } from '../batches';
import type { TextInput } from '../types';
import type { TextLimits } from './head';

export interface EncodedTexts {
  /** A sequence a text, without labels. */
  readonly sequences: readonly EncodedExample[];
  /** How many were longer than the maximum length and lost their end. */
  readonly truncated: number;
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
