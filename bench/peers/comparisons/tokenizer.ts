import { type Comparison, relativeToLargest } from '../compare';
import type { Inputs } from '../inputs';
import type { Contestants } from './contestants';

/** Texts in, ids with [CLS] and [SEP] out. */
export function tokenizerComparisons(contestants: Contestants, { textBytes }: Inputs): Comparison[] {
  if (textBytes === undefined) return [];
  return [
    {
      name: 'tokenizer',
      title: `WordPiece over SST-2's training sentences, ${(textBytes / 1e6).toFixed(1)} MB`,
      work: 'tokenizer',
      rounds: 5,
      difference: relativeToLargest,
      // The same ids.
      tolerance: 0,
      rate: { unit: 'MB/s', of: (milliseconds) => textBytes / 1e3 / milliseconds },
      entries: [
        contestants.node('Graft', 'graft'),
        contestants.python('tokenizers, one thread', 'tokenizers_rust', { threads: 'one' }),
        contestants.python('tokenizers, all threads', 'tokenizers_rust', { threads: 'all' }),
        contestants.node('@huggingface/tokenizers', 'huggingface'),
      ],
    },
  ];
}
