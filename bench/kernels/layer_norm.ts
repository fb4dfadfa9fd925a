import { layerNorm } from '../../src/ops/layer_norm';
import type { CaseInput } from '../../src/reference/case';
import type { BenchmarksAt, KernelBenchmark, Measured } from './benchmark';

/** Residual + layer norm: alone, saving, its gradient, and that of γ and β. */
export const layerNormBenchmarks: BenchmarksAt = ({ hidden, tokens }) => {
  const benchmark = (
    x: CaseInput['role'],
    parameters: CaseInput['role'],
    rows: readonly Omit<Measured, 'cost'>[],
  ): KernelBenchmark => ({
    op: 'layer_norm',
    shape: `${tokens}×${hidden}`,
    record: async (tape, given) =>
      layerNorm(
        tape,
        await given.tensor('x', 'tokens', hidden, x),
        await given.tensor('residual', 'tokens', hidden, x),
        await given.tensor('gamma', 1, hidden, parameters),
        await given.tensor('beta', 1, hidden, parameters),
        1e-12,
      ),
    rows: rows.map((row) => ({ ...row, cost: { bytes: 'contract' } })),
  });
  return [
    benchmark('frozen', 'frozen', [{ kernel: 'layer_norm forward', pass: 'forward' }]),
    benchmark('activation', 'frozen', [
      { kernel: 'layer_norm forward saving', pass: 'forward' },
      { kernel: 'layer_norm dX', pass: 'backward' },
    ]),
    benchmark('frozen', 'parameter', [{ kernel: 'layer_norm dγ, dβ', pass: 'backward' }]),
  ];
};
