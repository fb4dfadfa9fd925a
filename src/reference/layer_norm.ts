import type { Rows } from '../backends/kernel';
import { layerNorm } from '../ops/layer_norm';
import { type CaseInput, given, type OpCase, sequencesOf } from './case';
import { CaseRandom } from './random';

/** One row normalized: x̂ and 1 / σ. */
function normalize(row: Float64Array, epsilon: number): { normalized: Float64Array; inverse: number } {
  const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
  const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
  const inverse = 1 / Math.sqrt(variance + epsilon);
  return { normalized: row.map((value) => (value - mean) * inverse), inverse };
}

/** y = LN(r) γ + β over rows of `columns`. */
export function layerNormForward(
  r: Float64Array,
  gamma: Float64Array,
  beta: Float64Array,
  epsilon: number,
): Float64Array {
  const columns = gamma.length;
  const output = new Float64Array(r.length);
  for (let begin = 0; begin < r.length; begin += columns) {
    const { normalized } = normalize(r.subarray(begin, begin + columns), epsilon);
    normalized.forEach((value, c) => {
      output[begin + c] = value * given(gamma[c]) + given(beta[c]);
    });
  }
  return output;
}

export function layerNormBackward(
  r: Float64Array,
  gamma: Float64Array,
  epsilon: number,
  outputGradient: Float64Array,
): { input: Float64Array; gamma: Float64Array; beta: Float64Array } {
  const columns = gamma.length;
  const input = new Float64Array(r.length);
  const gammaGradient = new Float64Array(columns);
  const betaGradient = new Float64Array(columns);
  for (let begin = 0; begin < r.length; begin += columns) {
    const { normalized, inverse } = normalize(r.subarray(begin, begin + columns), epsilon);
    const dy = outputGradient.subarray(begin, begin + columns);
    const d = dy.map((value, c) => value * given(gamma[c]));
    const mean = d.reduce((sum, value) => sum + value, 0) / columns;
    const projection = d.reduce((sum, value, c) => sum + value * given(normalized[c]), 0) / columns;
    normalized.forEach((value, c) => {
      input[begin + c] = inverse * (given(d[c]) - mean - value * projection);
      gammaGradient[c] = given(gammaGradient[c]) + given(dy[c]) * value;
      betaGradient[c] = given(betaGradient[c]) + given(dy[c]);
    });
  }
  return { input, gamma: gammaGradient, beta: betaGradient };
}

interface Shape {
  readonly rows: 'tokens' | 'sequences';
  readonly lengths: readonly number[];
  readonly columns: number;
  readonly hasResidual: boolean;
  /** x, residual, γ, β: which get gradients. */
  readonly trained: readonly [boolean, boolean, boolean, boolean];
}

function layerNormCase({ rows, lengths, columns, hasResidual, trained }: Shape): OpCase {
  const epsilon = 1e-5;
  const count = rows === 'tokens' ? lengths.reduce((sum, length) => sum + length, 0) : lengths.length;
  const random = new CaseRandom(columns);
  const input = (
    name: string,
    isTrained: boolean,
    role: CaseInput['role'],
    rows: Rows,
    values: Float64Array,
  ) => ({ name, rows, columns, role: isTrained ? role : ('frozen' as const), values });
  const inputs = [
    input('x', trained[0], 'activation', rows, random.values(count * columns, 2)),
    input('gamma', trained[2], 'parameter', 1, random.values(columns, 2)),
    input('beta', trained[3], 'parameter', 1, random.values(columns)),
  ];
  if (hasResidual) {
    inputs.push(input('residual', trained[1], 'activation', rows, random.values(count * columns, 2)));
  }
  const sum = (x: Float64Array, residual: Float64Array | undefined) =>
    x.map((value, i) => value + (residual?.[i] ?? 0));
  const names = ['x', 'residual', 'γ', 'β'].filter((_, i) => trained[i]);
  return {
    op: 'layer_norm',
    name: `${count} ${rows} × ${columns}${hasResidual ? ' with residual' : ''}, gradients of ${names.join(', ') || 'nothing'}`,
    sequences: sequencesOf(lengths),
    inputs,
    build: (tape, [x, gamma, beta, residual]) =>
      layerNorm(tape, given(x), residual, given(gamma), given(beta), epsilon),
    forward: ([x, gamma, beta, residual]) =>
      layerNormForward(sum(given(x), residual), given(gamma), given(beta), epsilon),
    backward: ([x, gamma, , residual], outputGradient) => {
      const gradient = layerNormBackward(sum(given(x), residual), given(gamma), epsilon, outputGradient);
      return [
        trained[0] ? gradient.input : undefined,
        trained[2] ? gradient.gamma : undefined,
        trained[3] ? gradient.beta : undefined,
        ...(hasResidual ? [trained[1] ? gradient.input : undefined] : []),
      ];
    },
    // A row of three numbers can have a variance near 0, where 1/σ magnifies the rounding of the input.
    tolerance: columns <= 3 ? 1e-4 : 2e-5,
  };
}

const all = [true, true, true, true] as const;

export const layerNormCases = (): readonly OpCase[] => [
  ...[1, 3, 17, 65, 384].map((columns) =>
    layerNormCase({ rows: 'tokens', lengths: [3, 17, 65], columns, hasResidual: true, trained: all }),
  ),
  layerNormCase({
    rows: 'sequences',
    lengths: [1, 2, 3],
    columns: 65,
    hasResidual: false,
    trained: [true, false, true, true],
  }),
  layerNormCase({
    rows: 'tokens',
    lengths: [3],
    columns: 17,
    hasResidual: true,
    trained: [false, true, false, true],
  }),
  layerNormCase({
    rows: 'tokens',
    lengths: [3],
    columns: 17,
    hasResidual: true,
    trained: [false, false, true, false],
  }),
  layerNormCase({
    rows: 'tokens',
    lengths: [3],
    columns: 65,
    hasResidual: true,
    trained: [false, false, false, false],
  }),
];
