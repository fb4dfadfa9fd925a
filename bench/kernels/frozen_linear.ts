import type { WeightStorage } from '../../src/backends/frozen-matrix';
import { frozenLinear } from '../../src/ops/frozen_linear';
import type { BenchmarksAt, KernelBenchmark } from './benchmark';

const STORAGES: readonly WeightStorage[] = ['f32', 'f16', 'int8'];

/** The encoder's four products, forward and for the gradient of x, in every storage of the weight. */
export const frozenLinearBenchmarks: BenchmarksAt = ({ hidden, tokens }) =>
  STORAGES.flatMap((storage) =>
    [
      [hidden, 3 * hidden],
      [hidden, hidden],
      [hidden, 4 * hidden],
      [4 * hidden, hidden],
    ].map(([inputs = 0, outputs = 0]): KernelBenchmark => {
      const cost = { operations: 2 * tokens * inputs * outputs };
      return {
        op: 'frozen_linear',
        shape: `${tokens}×${inputs}×${outputs}, ${storage}`,
        record: async (tape, given) =>
          frozenLinear(
            tape,
            await given.tensor('x', 'tokens', inputs, 'activation'),
            await given.matrix('weight', outputs, inputs, { storage, use: 'product' }),
            await given.tensor('bias', 1, outputs, 'frozen'),
          ),
        rows: [
          { kernel: 'frozen_linear forward', pass: 'forward', cost },
          { kernel: 'frozen_linear dX', pass: 'backward', cost },
        ],
      };
    }),
  );
