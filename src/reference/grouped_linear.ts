import { groupedLinear } from '../ops/grouped_linear';
import { type CaseInput, countTokens, given, type OpCase, sequencesOf } from './case';
import { linearValue } from './linear';
import { CaseRandom } from './random';

interface GroupedCase {
  readonly lengths: readonly number[];
  /** Of each sequence. */
  readonly groupOf: readonly number[];
  readonly groups: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly rows?: 'tokens' | 'sequences';
  readonly hasBias?: boolean;
  readonly hasResidual?: boolean;
}

/** The group of each row. */
export function groupOfRows(
  lengths: readonly number[],
  groupOf: readonly number[],
  rows: 'tokens' | 'sequences',
): number[] {
  return groupOf.flatMap((group, sequence) =>
    Array.from({ length: rows === 'tokens' ? given(lengths[sequence]) : 1 }, () => group),
  );
}

function groupedLinearCase(shape: GroupedCase): OpCase {
  const { lengths, groupOf, groups, inputs, outputs, rows = 'tokens' } = shape;
  const { hasBias = true, hasResidual = false } = shape;
  const sequences = sequencesOf(lengths);
  const count = rows === 'tokens' ? countTokens(sequences) : sequences.length;
  const random = new CaseRandom(inputs * 37 + outputs);
  const frozen = (name: string, height: CaseInput['rows'], columns: number, length: number): CaseInput => ({
    name,
    rows: height,
    columns,
    role: 'frozen',
    values: random.values(length),
  });
  const caseInputs: CaseInput[] = [
    frozen('x', rows, inputs, count * inputs),
    frozen('weight', groups * outputs, inputs, groups * outputs * inputs),
    ...(hasBias ? [frozen('bias', groups, outputs, groups * outputs)] : []),
    ...(hasResidual ? [frozen('residual', rows, outputs, count * outputs)] : []),
  ];
  const biasOf = <T>(values: readonly T[]) => (hasBias ? values[2] : undefined);
  const residualOf = <T>(values: readonly T[]) => (hasResidual ? values.at(-1) : undefined);
  return {
    op: 'grouped_linear',
    name: `${lengths.join('+')} ${rows} of groups ${groupOf.join('')}, ${inputs} → ${outputs}${hasBias ? '' : ', no bias'}${hasResidual ? ', residual' : ''}`,
    sequences,
    labels: Uint32Array.from(groupOf),
    inputs: caseInputs,
    build: (tape, tensors) => {
      const bias = biasOf(tensors);
      return groupedLinear(
        tape,
        given(tensors[0]),
        { ...given(tensors[1]), groups },
        bias && { ...bias, groups },
        residualOf(tensors),
      );
    },
    forward: (values) => {
      const output = new Float64Array(count * outputs);
      groupOfRows(lengths, groupOf, rows).forEach((group, row) => {
        const x = given(values[0]).subarray(row * inputs, (row + 1) * inputs);
        const size = outputs * inputs;
        const weight = given(values[1]).subarray(group * size, (group + 1) * size);
        const bias = biasOf(values)?.subarray(group * outputs, (group + 1) * outputs);
        output.set(linearValue(x, weight, bias, inputs), row * outputs);
      });
      const residual = residualOf(values);
      return output.map((value, i) => value + (residual?.[i] ?? 0));
    },
    backward: () => caseInputs.map(() => undefined),
  };
}

export const groupedLinearCases = (): readonly OpCase[] => [
  // Runs that end within a tile of rows, groups that come back, one that nobody has.
  groupedLinearCase({ lengths: [3, 1, 9], groupOf: [0, 1, 0], groups: 2, inputs: 8, outputs: 4 }),
  groupedLinearCase({
    lengths: [5, 40, 7],
    groupOf: [2, 0, 3],
    groups: 4,
    inputs: 64,
    outputs: 33,
    hasResidual: true,
  }),
  groupedLinearCase({
    lengths: [17, 2],
    groupOf: [1, 0],
    groups: 2,
    inputs: 6,
    outputs: 5,
    hasResidual: true,
  }),
  groupedLinearCase({ lengths: [4, 4], groupOf: [0, 1], groups: 2, inputs: 3, outputs: 8, hasBias: false }),
  groupedLinearCase({
    lengths: [70, 30],
    groupOf: [1, 1],
    groups: 2,
    inputs: 16,
    outputs: 96,
    hasBias: false,
    hasResidual: true,
  }),
  groupedLinearCase({
    lengths: [2, 1, 4, 3, 1],
    groupOf: [0, 2, 2, 1, 0],
    groups: 3,
    inputs: 64,
    outputs: 7,
    rows: 'sequences',
  }),
];
