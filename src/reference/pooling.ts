import { type Pooling, pooling } from '../ops/pooling';
import { given, type OpCase, sequencesOf } from './case';
import { CaseRandom } from './random';

/** Calls `visit(sequence, token, weight)` for every token: a pooled row is the weighted sum of its tokens' rows. */
function eachWeight(
  lengths: readonly number[],
  mode: Pooling,
  visit: (sequence: number, token: number, weight: number) => void,
): void {
  let token = 0;
  lengths.forEach((length, sequence) => {
    for (let position = 0; position < length; position++) {
      visit(sequence, token, mode === 'mean' ? 1 / length : position === 0 ? 1 : 0);
      token += 1;
    }
  });
}

function poolingCase(mode: Pooling, columns: number): OpCase {
  const lengths = [3, 1, 17];
  const tokens = 21;
  return {
    op: 'pooling',
    name: `${mode}, ${tokens}×${columns}`,
    sequences: sequencesOf(lengths),
    inputs: [
      {
        name: 'x',
        rows: 'tokens',
        columns,
        role: 'activation',
        values: new CaseRandom(columns).values(tokens * columns),
      },
    ],
    build: (tape, [x]) => pooling(tape, given(x), mode),
    forward: ([x]) => {
      const output = new Float64Array(lengths.length * columns);
      eachWeight(lengths, mode, (sequence, token, weight) => {
        for (let c = 0; c < columns; c++) {
          const i = sequence * columns + c;
          output[i] = given(output[i]) + weight * given(given(x)[token * columns + c]);
        }
      });
      return output;
    },
    backward: (_, outputGradient) => {
      const gradient = new Float64Array(tokens * columns);
      eachWeight(lengths, mode, (sequence, token, weight) => {
        for (let c = 0; c < columns; c++) {
          gradient[token * columns + c] = weight * given(outputGradient[sequence * columns + c]);
        }
      });
      return [gradient];
    },
  };
}

export const poolingCases = (): readonly OpCase[] =>
  (['cls', 'mean'] as const).flatMap((mode) => [1, 3, 17, 65].map((columns) => poolingCase(mode, columns)));
