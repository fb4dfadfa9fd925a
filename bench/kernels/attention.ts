import { attention } from '../../src/ops/attention';
import type { BenchmarksAt, KernelBenchmark } from './benchmark';

/** Without a gradient, as in inference, and with the dropout of training. */
export const attentionBenchmarks: BenchmarksAt = ({ hidden, heads, sequences, length }) => {
  // q kᵀ, or any other of the products: length × length × hidden for each sequence.
  const product = 2 * sequences * length * length * hidden;
  const shape = `${sequences} of ${length}×${hidden}, ${heads} heads`;
  const record =
    (role: 'activation' | 'frozen', dropout: number): KernelBenchmark['record'] =>
    async (tape, given) =>
      attention(tape, await given.tensor('qkv', 'tokens', 3 * hidden, role), heads, { dropout });
  return [
    {
      op: 'attention',
      shape,
      record: record('frozen', 0),
      rows: [{ kernel: 'attention forward', pass: 'forward', cost: { operations: 2 * product } }],
    },
    {
      op: 'attention',
      shape: `${shape}, dropout`,
      record: record('activation', 0.1),
      rows: [
        { kernel: 'attention forward saving', pass: 'forward', cost: { operations: 2 * product } },
        {
          kernel: 'attention backward query',
          pass: 'backward',
          only: 'attention_backward_query',
          // The scores again, the gradient of the probabilities, of the queries.
          cost: { operations: 3 * product },
        },
        {
          kernel: 'attention backward key',
          pass: 'backward',
          only: 'attention_backward_key',
          // The scores again, the gradient of the probabilities, of the values, of the keys.
          cost: { operations: 4 * product },
        },
      ],
    },
  ];
};
