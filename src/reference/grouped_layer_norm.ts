import { groupedLayerNorm } from '../ops/grouped_layer_norm';
import { type CaseInput, countTokens, given, type OpCase, sequencesOf } from './case';
import { groupOfRows } from './grouped_linear';
import { layerNormForward } from './layer_norm';
import { CaseRandom } from './random';

const EPSILON = 1e-12;

interface GroupedCase {
  readonly lengths: readonly number[];
  /** Of each sequence. */
  readonly groupOf: readonly number[];
  readonly groups: number;
  readonly columns: number;
  readonly rows?: 'tokens' | 'sequences';
  readonly hasResidual: boolean;
}

function groupedLayerNormCase(shape: GroupedCase): OpCase {
  const { lengths, groupOf, groups, columns, rows = 'tokens', hasResidual } = shape;
  const sequences = sequencesOf(lengths);
  const count = rows === 'tokens' ? countTokens(sequences) : sequences.length;
  const random = new CaseRandom(columns);
  const frozen = (name: string, height: CaseInput['rows'], length: number): CaseInput => ({
    name,
    rows: height,
    columns,
    role: 'frozen',
    values: random.values(length),
  });
  const caseInputs: CaseInput[] = [
    frozen('x', rows, count * columns),
    frozen('gamma', groups, groups * columns),
    frozen('beta', groups, groups * columns),
    ...(hasResidual ? [frozen('residual', rows, count * columns)] : []),
  ];
  return {
    op: 'grouped_layer_norm',
    name: `${lengths.join('+')} ${rows} of groups ${groupOf.join('')}, ${columns} columns${hasResidual ? ', residual' : ''}`,
    sequences,
    labels: Uint32Array.from(groupOf),
    inputs: caseInputs,
    build: (tape, [x, gamma, beta, residual]) =>
      groupedLayerNorm(
        tape,
        given(x),
        residual,
        { ...given(gamma), groups },
        { ...given(beta), groups },
        EPSILON,
      ),
    forward: ([x, gamma, beta, residual]) => {
      const sum = given(x).map((value, i) => value + (residual?.[i] ?? 0));
      const output = new Float64Array(sum.length);
      groupOfRows(lengths, groupOf, rows).forEach((group, row) => {
        const own = (values: Float64Array | undefined) =>
          given(values).subarray(group * columns, (group + 1) * columns);
        const r = sum.subarray(row * columns, (row + 1) * columns);
        output.set(layerNormForward(r, own(gamma), own(beta), EPSILON), row * columns);
      });
      return output;
    },
    backward: () => caseInputs.map(() => undefined),
  };
}

export const groupedLayerNormCases = (): readonly OpCase[] => [
  groupedLayerNormCase({
    lengths: [3, 34, 1],
    groupOf: [1, 0, 1],
    groups: 2,
    columns: 64,
    hasResidual: true,
  }),
  groupedLayerNormCase({ lengths: [5, 2], groupOf: [2, 0], groups: 3, columns: 33, hasResidual: false }),
  groupedLayerNormCase({
    lengths: [4, 1, 2],
    groupOf: [0, 1, 1],
    groups: 2,
    columns: 20,
    rows: 'sequences',
    hasResidual: true,
  }),
];
