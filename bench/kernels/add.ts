import { given, type OpCase, sequencesOf } from '../../src/reference/case';
import { CaseRandom } from '../../src/reference/random';
import { addDispatch } from '../../src/scheduler/add';
import type { Tape, Tensor } from '../../src/scheduler/tape';
import { zeroDispatch } from '../../src/scheduler/zero';
import type { BenchmarksAt } from './benchmark';

/** The scheduler's own kernels are no ops, so their oracles are here: the sum of two gradients, and zeros. */
function recordAdd(tape: Tape, a: Tensor, b: Tensor): Tensor {
  const sum = tape.like(a, 'sum');
  tape.record({ op: 'add', output: sum, forward: [addDispatch(a, b, sum)] });
  return sum;
}

function recordZero(tape: Tape, like: Tensor): Tensor {
  const zeros = tape.like(like, 'zeros');
  tape.record({ op: 'zero', output: zeros, forward: [zeroDispatch(zeros)] });
  return zeros;
}

export const addBenchmarks: BenchmarksAt = ({ hidden, tokens }) => [
  {
    op: 'zero',
    shape: `${tokens}×${hidden}`,
    record: async (tape, inputs) => recordZero(tape, await inputs.tensor('like', 'tokens', hidden, 'frozen')),
    rows: [{ kernel: 'zero', pass: 'forward', cost: { bytes: 'contract' } }],
  },
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

const zeroCases: readonly OpCase[] = [1, 17, 64].map((columns) => ({
  op: 'zero',
  name: `3×${columns}`,
  sequences: sequencesOf([3]),
  inputs: [
    {
      name: 'like',
      rows: 'tokens',
      columns,
      role: 'frozen',
      values: new CaseRandom(columns).values(3 * columns),
    },
  ],
  build: (tape, [like]) => recordZero(tape, given(like)),
  forward: ([like]) => given(like).map(() => 0),
  backward: () => [undefined],
}));

const sumCases: readonly OpCase[] = [1, 3, 17, 64].map((columns) => {
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

export const addCases: readonly OpCase[] = [...sumCases, ...zeroCases];
