import { crossEntropy, IGNORED_LABEL } from '../ops/cross_entropy';
import { given, type OpCase, sequencesOf } from './case';
import { CaseRandom } from './random';

/** log Σ exp of each row. */
function logSums(logits: Float64Array, classes: number): number[] {
  return Array.from({ length: logits.length / classes }, (_, row) => {
    const values = logits.subarray(row * classes, (row + 1) * classes);
    const largest = values.reduce((a, b) => Math.max(a, b));
    return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  });
}

interface Options {
  readonly isTrained?: boolean;
  /** Classes have weights. */
  readonly isWeighted?: boolean;
  /** Sequences of these lengths and a row for each token, every third of them without a label. */
  readonly lengths?: readonly number[];
}

function crossEntropyCase(
  rowCount: number,
  classes: number,
  scale: number,
  { isTrained = true, isWeighted = false, lengths }: Options = {},
): OpCase {
  const random = new CaseRandom(classes);
  const labels = Uint32Array.from({ length: rowCount }, (_, row) =>
    lengths !== undefined && row % 3 === 1 ? IGNORED_LABEL : random.below(classes),
  );
  const weights = Float64Array.from({ length: classes }, () => 0.25 + random.below(8) / 4);
  const lossScale = 0.25;
  /** The weight of a row's label, 0 where it has none. */
  const weightOf = (label: number) => (label === IGNORED_LABEL ? 0 : isWeighted ? given(weights[label]) : 1);
  const notes = [
    ...(isWeighted ? ['weighted'] : []),
    ...(lengths === undefined ? [] : ['a row a token, some ignored']),
    ...(isTrained ? [] : ['loss alone']),
  ];
  const logits = {
    name: 'logits',
    rows: lengths === undefined ? 'sequences' : 'tokens',
    columns: classes,
    role: isTrained ? 'activation' : 'frozen',
    values: random.values(rowCount * classes, scale),
  } as const;
  const weightInput = {
    name: 'weights',
    rows: 1,
    columns: classes,
    role: 'frozen',
    values: weights,
  } as const;
  return {
    op: 'cross_entropy',
    name: [`${rowCount}×${classes}, logits up to ${scale}`, ...notes].join(', '),
    sequences: sequencesOf(lengths ?? Array.from({ length: rowCount }, () => 1)),
    labels,
    lossScale,
    isLoss: true,
    inputs: isWeighted ? [logits, weightInput] : [logits],
    build: (tape, inputs) => crossEntropy(tape, given(inputs[0]), inputs[1]),
    forward: ([values]) =>
      Float64Array.from(logSums(given(values), classes), (logSum, row) => {
        const label = given(labels[row]);
        const weight = weightOf(label);
        return weight === 0 ? 0 : weight * (logSum - given(given(values)[row * classes + label]));
      }),
    backward: ([values]) => {
      const unchanged = isWeighted ? [undefined] : [];
      if (!isTrained) return [undefined, ...unchanged];
      const sums = logSums(given(values), classes);
      const gradient = given(values).map((value, i) => {
        const row = Math.floor(i / classes);
        const label = given(labels[row]);
        const target = i % classes === label ? 1 : 0;
        return (Math.exp(value - given(sums[row])) - target) * weightOf(label) * lossScale;
      });
      return [gradient, ...unchanged];
    },
  };
}

export const crossEntropyCases = (): readonly OpCase[] => [
  crossEntropyCase(3, 1, 4),
  crossEntropyCase(1, 2, 4),
  crossEntropyCase(65, 3, 4),
  crossEntropyCase(17, 17, 100),
  crossEntropyCase(3, 65, 4),
  crossEntropyCase(3, 1000, 4),
  crossEntropyCase(3, 3, 4, { isTrained: false }),
  crossEntropyCase(17, 5, 4, { isWeighted: true }),
  crossEntropyCase(3, 65, 4, { isWeighted: true, isTrained: false }),
  crossEntropyCase(23, 9, 4, { lengths: [1, 17, 5] }),
  crossEntropyCase(9, 65, 4, { lengths: [2, 7], isWeighted: true }),
];
