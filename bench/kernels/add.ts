import { given, type OpCase, sequencesOf } from '../../src/reference/case';
import { CaseRandom } from '../../src/reference/random';
import { addDispatch } from '../../src/scheduler/add';
import type { Tape, Tensor } from '../../src/scheduler/tape';
import type { BenchmarksAt } from './benchmark';

/** The scheduler's sum of two gradients: no op of its own, so its oracle is here. */
function recordAdd(tape: Tape, a: Tensor, b: Tensor): Tensor {
  const sum = tape.like(a, 'sum');
  tape.record({ op: 'add', output: sum, forward: [addDispatch(a, b, sum)] });
  return sum;
}

export const addBenchmarks: BenchmarksAt = ({ hidden, tokens }) => [
  {
    op: 'add',
    shape: `${tokens}×${hidden}`,
    record: async (tape, inputs) =>
      recordAdd(
        tape,
        await inputs.tensor('a', 'tokens', hidden, 'frozen'),
        await inputs.tensor('b', 'tokens', hidden, 'frozen'),
      ),
    rows: [{ kernel: 'add', pass: 'forward', cost: { bytes: 'contract' } }],
  },
];

export const addCases: readonly OpCase[] = [1, 3, 17, 64].map((columns) => {
  const random = new CaseRandom(columns);
  const input = (name: string) => ({
    name,
    rows: 'tokens' as const,
    columns,
    role: 'frozen' as const,
    values: random.values(3 * columns),
  });
  return {
    op: 'add',
    name: `3×${columns}`,
    sequences: sequencesOf([3]),
    inputs: [input('a'), input('b')],
    build: (tape, [a, b]) => recordAdd(tape, given(a), given(b)),
    forward: ([a, b]) => given(a).map((value, i) => value + given(given(b)[i])),
    backward: () => [undefined, undefined],
  };
});
