import { tanh } from '../ops/tanh';
import { given, type OpCase, sequencesOf } from './case';
import { CaseRandom } from './random';

export const tanhCases = (): readonly OpCase[] =>
  [1, 3, 17, 65].map((columns) => ({
    op: 'tanh',
    name: `3×${columns}`,
    sequences: sequencesOf([5, 1, 2]),
    inputs: [
      {
        name: 'x',
        rows: 'sequences',
        columns,
        role: 'activation',
        values: new CaseRandom(columns).values(3 * columns, 4),
      },
    ],
    build: (tape, [x]) => tanh(tape, given(x)),
    forward: ([x]) => given(x).map(Math.tanh),
    backward: ([x], outputGradient) => [
      given(x).map((value, i) => given(outputGradient[i]) * (1 - Math.tanh(value) ** 2)),
    ],
  }));
