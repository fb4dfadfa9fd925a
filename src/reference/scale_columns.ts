import { scaleColumns } from '../ops/scale_columns';
import { countTokens, given, type OpCase, sequencesOf } from './case';
import { CaseRandom } from './random';

interface Shape {
  readonly columns: number;
  readonly first: number;
  readonly count: number;
  readonly x?: 'activation' | 'frozen';
  readonly scale?: 'parameter' | 'frozen';
}

function scaleColumnsCase({ columns, first, count, x = 'activation', scale = 'parameter' }: Shape): OpCase {
  const sequences = sequencesOf([3, 1, 13]);
  const rows = countTokens(sequences);
  const random = new CaseRandom(columns * 31 + count);
  const factor = (l: Float64Array, i: number) => {
    const column = (i % columns) - first;
    return column >= 0 && column < count ? given(l[column]) : 1;
  };
  return {
    op: 'scale_columns',
    name: `${rows}×${columns}, columns ${first} to ${first + count}, x ${x}, scale ${scale}`,
    sequences,
    inputs: [
      { name: 'x', rows: 'tokens', columns, role: x, values: random.values(rows * columns) },
      { name: 'scale', rows: 1, columns: count, role: scale, values: random.values(count, 2) },
    ],
    build: (tape, [xTensor, l]) => scaleColumns(tape, given(xTensor), given(l), first),
    forward: ([values, l]) => given(values).map((value, i) => value * factor(given(l), i)),
    backward: ([values, l], outputGradient) => {
      const scaleGradient = new Float64Array(count);
      outputGradient.forEach((gradient, i) => {
        const column = (i % columns) - first;
        if (column < 0 || column >= count) return;
        scaleGradient[column] = given(scaleGradient[column]) + gradient * given(given(values)[i]);
      });
      return [
        x === 'activation' ? outputGradient.map((value, i) => value * factor(given(l), i)) : undefined,
        scale === 'parameter' ? scaleGradient : undefined,
      ];
    },
  };
}

export const scaleColumnsCases = (): readonly OpCase[] => [
  ...[1, 3, 17, 64, 65].map((columns) => scaleColumnsCase({ columns, first: 0, count: columns })),
  scaleColumnsCase({ columns: 51, first: 17, count: 34 }),
  scaleColumnsCase({ columns: 96, first: 32, count: 64 }),
  scaleColumnsCase({ columns: 96, first: 32, count: 64, x: 'frozen' }),
  scaleColumnsCase({ columns: 20, first: 3, count: 5, scale: 'frozen' }),
];
