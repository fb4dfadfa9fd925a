/** The ops that pass over their tensors once: memory's speed is theirs. */
import { countRows } from '../../src/backends/kernel';
import { dropout } from '../../src/ops/dropout';
import { gelu } from '../../src/ops/gelu';
import { tanh } from '../../src/ops/tanh';
import type { Tape, Tensor } from '../../src/scheduler/tape';
import type { BenchmarksAt, KernelBenchmark } from './benchmark';

export const elementwiseBenchmarks: BenchmarksAt = ({ hidden, sequences, tokens }) => {
  const shape = { tokenCount: tokens, sequenceCount: sequences, tileCount: 0 };
  const benchmark = (
    op: string,
    detail: string,
    rows: 'tokens' | 'sequences',
    columns: number,
    build: (tape: Tape, x: Tensor) => Tensor,
  ): KernelBenchmark => ({
    op,
    shape: `${countRows(rows, shape)}×${columns}${detail}`,
    record: async (tape, given) => build(tape, await given.tensor('x', rows, columns, 'activation')),
    rows: (['forward', 'backward'] as const).map((pass) => ({
      kernel: `${op} ${pass}`,
      pass,
      cost: { bytes: 'contract' },
    })),
  });
  return [
    benchmark('gelu', ', erf', 'tokens', 4 * hidden, (tape, x) => gelu(tape, x, 'gelu')),
    benchmark('gelu', ', tanh', 'tokens', 4 * hidden, (tape, x) => gelu(tape, x, 'gelu_tanh')),
    benchmark('dropout', '', 'tokens', hidden, (tape, x) => dropout(tape, x, 0.1)),
    benchmark('tanh', '', 'sequences', hidden, tanh),
  ];
};
