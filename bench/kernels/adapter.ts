import { adapter } from '../../src/ops/adapter';
import type { BenchmarksAt } from './benchmark';

const BOTTLENECK = 64;

/** The whole bottleneck, all of it trained. */
export const adapterBenchmarks: BenchmarksAt = ({ hidden, tokens }) => {
  const product = 2 * tokens * hidden * BOTTLENECK;
  return [
    {
      op: 'adapter',
      shape: `${tokens}×${hidden}, bottleneck ${BOTTLENECK}`,
      record: async (tape, given) => {
        const x = await given.tensor('x', 'tokens', hidden, 'activation');
        const weights = {
          downWeight: await given.tensor('down weight', BOTTLENECK, hidden, 'parameter'),
          downBias: await given.tensor('down bias', 1, BOTTLENECK, 'parameter'),
          upWeight: await given.tensor('up weight', hidden, BOTTLENECK, 'parameter'),
          upBias: await given.tensor('up bias', 1, hidden, 'parameter'),
        };
        return adapter(tape, x, weights, 'gelu_tanh');
      },
      rows: [
        { kernel: 'adapter forward', pass: 'forward', cost: { operations: 2 * product } },
        // The gradients of both weights, of the activation, and of x.
        { kernel: 'adapter backward', pass: 'backward', cost: { operations: 4 * product } },
      ],
    },
  ];
};
