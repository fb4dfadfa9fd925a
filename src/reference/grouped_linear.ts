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
  /** Whether there are bias and residual. Default true. */
  readonly isAffine?: boolean;
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
  const { lengths, groupOf, groups, inputs, outputs, rows = 'tokens', isAffine = true } = shape;
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
    ...(isAffine
      ? [
          frozen('bias', groups, outputs, groups * outputs),
          frozen('residual', rows, outputs, count * outputs),
        ]
      : []),
  ];
  return {
    op: 'grouped_linear',
    name: `${lengths.join('+')} ${rows} of groups ${groupOf.join('')}, ${inputs} → ${outputs}${isAffine ? ', bias and residual' : ''}`,
    sequences,
    labels: Uint32Array.from(groupOf),
    inputs: caseInputs,
    build: (tape, [x, weight, bias, residual]) =>
      groupedLinear(tape, given(x), { ...given(weight), groups }, bias && { ...bias, groups }, residual),
    forward: ([x, weight, bias, residual]) => {
      const output = new Float64Array(count * outputs);
      groupOfRows(lengths, groupOf, rows).forEach((group, row) => {
        const own = (values: Float64Array | undefined, length: number) =>
          values?.subarray(group * length, (group + 1) * length);
        const from = given(x).subarray(row * inputs, (row + 1) * inputs);
        const product = linearValue(from, given(own(weight, outputs * inputs)), own(bias, outputs), inputs);
        output.set(product, row * outputs);
      });
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
  }),
  groupedLinearCase({
    lengths: [17, 2],
    groupOf: [1, 0],
    groups: 2,
    inputs: 6,
    outputs: 5,
  }),
  groupedLinearCase({ lengths: [4, 4], groupOf: [0, 1], groups: 2, inputs: 3, outputs: 8, isAffine: false }),
  groupedLinearCase({
    lengths: [70, 30],
    groupOf: [1, 1],
    groups: 2,
    inputs: 16,
    outputs: 96,
    isAffine: false,
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
