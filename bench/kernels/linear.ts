import { linear } from '../../src/ops/linear';
import type { BenchmarksAt, KernelBenchmark, Measured } from './benchmark';

/** The bottleneck of a Houlsby adapter: the products whose weights are trained lead to it or from it. */
const BOTTLENECK = 64;

/** The encoder's four products, forward and for the gradient of x, and one whose weight and bias are trained. */
export const linearBenchmarks: BenchmarksAt = ({ hidden, tokens }) => {
  /** x `[T, inputs]` by a weight `[outputs, inputs]`; what is not frozen has its gradient measured. */
  const product = (
    inputs: number,
    outputs: number,
    roles: { x?: 'activation'; weight?: 'parameter'; bias?: 'parameter' },
    rowsOf: (operations: number) => readonly Measured[],
  ): KernelBenchmark => ({
    op: 'linear',
    shape: `${tokens}×${inputs}×${outputs}`,
    record: async (tape, given) =>
      linear(
        tape,
        await given.tensor('x', 'tokens', inputs, roles.x ?? 'frozen'),
        await given.tensor('weight', outputs, inputs, roles.weight ?? 'frozen'),
        await given.tensor('bias', 1, outputs, roles.bias ?? 'frozen'),
      ),
    rows: rowsOf(2 * tokens * inputs * outputs),
  });
  const backward =
    (kernel: string) =>
    (operations: number): readonly Measured[] => [{ kernel, pass: 'backward', cost: { operations } }];
  return [
    ...[
      [hidden, 3 * hidden],
      [hidden, hidden],
      [hidden, 4 * hidden],
      [4 * hidden, hidden],
    ].map(([inputs = 0, outputs = 0]) =>
      product(inputs, outputs, { x: 'activation' }, (operations) => [
        { kernel: 'linear forward', pass: 'forward', cost: { operations } },
        { kernel: 'linear dX', pass: 'backward', cost: { operations } },
      ]),
    ),
    product(hidden, BOTTLENECK, { weight: 'parameter' }, backward('linear dW')),
    product(hidden, BOTTLENECK, { bias: 'parameter' }, () => [
      { kernel: 'linear db', pass: 'backward', cost: { bytes: 'contract' } },
    ]),
  ];
};
