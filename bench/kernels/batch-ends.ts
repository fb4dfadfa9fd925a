/** What happens once a token or once a sequence, at the two ends of the encoder: embeddings, pooling, the losses. */
import { binaryCrossEntropy } from '../../src/ops/binary_cross_entropy';
import { crossEntropy } from '../../src/ops/cross_entropy';
import { embeddings } from '../../src/ops/embeddings';
import { pooling } from '../../src/ops/pooling';
import { spanCrossEntropy } from '../../src/ops/span_cross_entropy';
import { squaredError } from '../../src/ops/squared_error';
import type { Tape, Tensor } from '../../src/scheduler/tape';
import type { BenchmarksAt, KernelBenchmark } from './benchmark';

const VOCABULARY = 1000;
const POSITIONS = 512;
const TYPES = 2;

export const batchEndBenchmarks: BenchmarksAt = ({ hidden, sequences, tokens }) => {
  const row = hidden * 4;
  /** The table of tokens, four words each, and where each sequence begins. */
  const tables = { tokens: tokens * 16, offsets: (sequences + 1) * 4 };
  const loss = (
    op: string,
    outputs: number,
    build: (tape: Tape, x: Tensor) => Tensor,
    labelColumns = 1,
  ): KernelBenchmark => ({
    op,
    shape: `${sequences}×${outputs}`,
    labelColumns,
    record: async (tape, given) => build(tape, await given.tensor('x', 'sequences', outputs, 'activation')),
    rows: [{ kernel: `${op}, loss and gradient`, pass: 'forward', cost: { bytes: 'contract' } }],
  });
  return [
    {
      op: 'embeddings',
      shape: `${tokens}×${hidden}`,
      record: async (tape, given) => {
        const word = await given.matrix('word', VOCABULARY, hidden, { storage: 'f32', use: 'table' });
        return embeddings(
          tape,
          {
            word: [{ tensor: word, firstRow: 0 }],
            position: await given.tensor('position', POSITIONS, hidden, 'frozen'),
            type: await given.tensor('type', TYPES, hidden, 'frozen'),
          },
          hidden,
        );
      },
      // Of each table the rows of the batch's tokens, and no others.
      rows: [{ kernel: 'embeddings', pass: 'forward', cost: { bytes: tables.tokens + 4 * tokens * row } }],
    },
    {
      op: 'embeddings',
      shape: `${tokens}×${hidden}, trained`,
      record: async (tape, given) => {
        const word = await given.tensor('word', VOCABULARY, hidden, 'parameter');
        return embeddings(
          tape,
          {
            word: [{ tensor: word, firstRow: 0 }],
            position: await given.tensor('position', POSITIONS, hidden, 'frozen'),
            type: await given.tensor('type', TYPES, hidden, 'frozen'),
          },
          hidden,
        );
      },
      // Each token's row of the gradient is read and written; dy is read.
      rows: [
        { kernel: 'embeddings dW', pass: 'backward', cost: { bytes: tables.tokens + 3 * tokens * row } },
      ],
    },
    {
      op: 'pooling',
      shape: `${tokens}×${hidden} → ${sequences}`,
      record: async (tape, given) =>
        pooling(tape, await given.tensor('x', 'tokens', hidden, 'activation'), 'cls'),
      // Forward, the first token of each sequence alone is read.
      rows: [
        { kernel: 'pooling forward', pass: 'forward', cost: { bytes: tables.offsets + 2 * sequences * row } },
        { kernel: 'pooling backward', pass: 'backward', cost: { bytes: 'contract' } },
      ],
    },
    loss('cross_entropy', 2, crossEntropy),
    loss('binary_cross_entropy', 8, binaryCrossEntropy, 8),
    loss('squared_error', 1, squaredError),
    {
      op: 'span_cross_entropy',
      shape: `${tokens}×2, ${sequences} sequences`,
      labelColumns: 2,
      record: async (tape, given) =>
        spanCrossEntropy(tape, await given.tensor('logits', 'tokens', 2, 'activation')),
      rows: [
        { kernel: 'span_cross_entropy, loss and gradient', pass: 'forward', cost: { bytes: 'contract' } },
      ],
    },
  ];
};
