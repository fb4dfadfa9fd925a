import { linear } from '../../src/ops/linear';
import type { CaseInput } from '../../src/reference/case';
import type { BenchmarksAt, KernelBenchmark, Measured } from './benchmark';

/** The bottleneck of a Houlsby adapter: the products whose weights are trained lead to it or from it. */
const BOTTLENECK = 64;

/** A trained product's passes, each alone: what is frozen has no gradient. The encoder's own products are frozen_linear's. */
export const linearBenchmarks: BenchmarksAt = ({ hidden, tokens }) => {
  const operations = { operations: 2 * tokens * hidden * BOTTLENECK };
  const product = (
    trained: Partial<Record<'x' | 'weight' | 'bias', CaseInput['role']>>,
    rows: readonly Measured[],
  ): KernelBenchmark => ({
    op: 'linear',
    shape: `${tokens}×${hidden}×${BOTTLENECK}`,
    record: async (tape, given) =>
      linear(
        tape,
        await given.tensor('x', 'tokens', hidden, trained.x ?? 'frozen'),
        await given.tensor('weight', BOTTLENECK, hidden, trained.weight ?? 'frozen'),
        await given.tensor('bias', 1, BOTTLENECK, trained.bias ?? 'frozen'),
      ),
    rows,
  });
  return [
    product({ x: 'activation' }, [
      { kernel: 'linear forward', pass: 'forward', cost: operations },
      { kernel: 'linear dX', pass: 'backward', cost: operations },
    ]),
    product({ weight: 'parameter' }, [{ kernel: 'linear dW', pass: 'backward', cost: operations }]),
    product({ bias: 'parameter' }, [{ kernel: 'linear db', pass: 'backward', cost: { bytes: 'contract' } }]),
  ];
};
