import type { WeightStorage } from '../backends/frozen-matrix';
import type { Rows } from '../backends/kernel';
import { frozenLinear } from '../ops/frozen_linear';
import { countTokens, given, type OpCase, sequencesOf } from './case';
import { linearGradients, linearValue } from './linear';
import { CaseRandom } from './random';

interface FrozenLinearCase {
  readonly lengths: readonly number[];
  readonly inputs: number;
  readonly outputs: number;
  readonly storage: WeightStorage;
  readonly rows?: Rows;
  readonly bias?: 'none' | 'parameter';
  readonly x?: 'frozen';
}

/** The values are those that the storage keeps: what it loses is no business of the kernel's. */
function frozenLinearCase({
  lengths,
  inputs,
  outputs,
  storage,
  rows = 'tokens',
  bias,
  x,
}: FrozenLinearCase): OpCase {
  const sequences = sequencesOf(lengths);
  const count = rows === 'tokens' ? countTokens(sequences) : sequences.length;
  const random = new CaseRandom(inputs * 31 + outputs);
  return {
    op: 'frozen_linear',
    name: `${count} ${rows}, ${inputs} → ${outputs}, ${storage}${bias === undefined ? '' : `, bias ${bias}`}${x === undefined ? '' : ', x frozen'}`,
    sequences,
    inputs: [
      {
        name: 'x',
        rows,
        columns: inputs,
        role: x ?? 'activation',
        values: random.values(count * inputs),
      },
      {
        name: 'weight',
        rows: outputs,
        columns: inputs,
        role: 'frozen',
        matrix: { storage, use: 'product' },
        values: random.values(outputs * inputs),
      },
      ...(bias === 'none'
        ? []
        : [
            {
              name: 'bias',
              rows: 1,
              columns: outputs,
              role: bias ?? 'frozen',
              values: random.values(outputs),
            } as const,
          ]),
    ],
    build: (tape, [input, weight, b]) => frozenLinear(tape, given(input), given(weight), b),
    forward: ([input, weight, b]) => linearValue(given(input), given(weight), b, inputs),
    backward: ([input, weight], outputGradient) => {
      const gradients = linearGradients(given(input), given(weight), outputGradient, inputs);
      return [
        x === 'frozen' ? undefined : gradients.x,
        undefined,
        ...(bias === 'none' ? [] : [bias === 'parameter' ? gradients.bias : undefined]),
      ];
    },
  };
}

const storages: readonly WeightStorage[] = ['f32', 'f16', 'int8'];

export const frozenLinearCases = (): readonly OpCase[] => [
  // Whole tiles and panels; edges of rows, of panels and of the blocks of 512; one of everything.
  ...storages.flatMap((storage) => [
    frozenLinearCase({ lengths: [64], inputs: 64, outputs: 96, storage }),
    frozenLinearCase({ lengths: [17, 20], inputs: 36, outputs: 43, storage }),
    frozenLinearCase({ lengths: [5, 1], inputs: 776, outputs: 20, storage }),
    frozenLinearCase({ lengths: [3], inputs: 12, outputs: 1030, storage }),
    frozenLinearCase({
      lengths: [4, 3, 9],
      inputs: 32,
      outputs: 32,
      storage,
      rows: 'sequences',
      bias: 'none',
    }),
  ]),
  frozenLinearCase({ lengths: [300], inputs: 40, outputs: 136, storage: 'f32' }),
  frozenLinearCase({ lengths: [7], inputs: 33, outputs: 5, storage: 'f32' }),
  frozenLinearCase({ lengths: [7], inputs: 33, outputs: 5, storage: 'f16' }),
  frozenLinearCase({ lengths: [7], inputs: 33, outputs: 5, storage: 'int8' }),
  frozenLinearCase({ lengths: [7, 20], inputs: 32, outputs: 44, storage: 'f32', bias: 'parameter' }),
  frozenLinearCase({ lengths: [7], inputs: 33, outputs: 5, storage: 'int8', bias: 'parameter', x: 'frozen' }),
];
