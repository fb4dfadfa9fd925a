import { binaryCrossEntropy } from '../ops/binary_cross_entropy';
import { given, type OpCase, sequencesOf } from './case';
import { CaseRandom } from './random';

/** log(1 + exp x), which neither overflows nor loses a small exp x. */
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

interface Options {
  readonly isTrained?: boolean;
  /** Positives have weights. */
  readonly isWeighted?: boolean;
  /** Labels between 0 and 1 beside those two. */
  readonly isSoft?: boolean;
}

function binaryCrossEntropyCase(
  rowCount: number,
  columns: number,
  scale: number,
  { isTrained = true, isWeighted = false, isSoft = false }: Options = {},
): OpCase {
  const random = new CaseRandom(columns);
  const labels = Float32Array.from({ length: rowCount * columns }, () =>
    isSoft ? random.below(5) / 4 : random.below(2),
  );
  const weights = Float64Array.from({ length: columns }, () => 0.25 + random.below(16) / 4);
  const lossScale = 0.25;
  /** What a column's positive and negative parts count. */
  const partsAt = (i: number) => {
    const label = given(labels[i]);
    return { positive: isWeighted ? label * given(weights[i % columns]) : label, negative: 1 - label };
  };
  const notes = [
    ...(isWeighted ? ['weighted'] : []),
    ...(isSoft ? ['soft labels'] : []),
    ...(isTrained ? [] : ['loss alone']),
  ];
  const logits = {
    name: 'logits',
    rows: 'sequences',
    columns,
    role: isTrained ? 'activation' : 'frozen',
    values: random.values(rowCount * columns, scale),
  } as const;
  const weightInput = { name: 'weights', rows: 1, columns, role: 'frozen', values: weights } as const;
  return {
    op: 'binary_cross_entropy',
    name: [`${rowCount}×${columns}, logits up to ${scale}`, ...notes].join(', '),
    sequences: sequencesOf(Array.from({ length: rowCount }, () => 1)),
    labels,
    lossScale,
    isLoss: true,
    inputs: isWeighted ? [logits, weightInput] : [logits],
    build: (tape, inputs) => binaryCrossEntropy(tape, given(inputs[0]), inputs[1]),
    forward: ([values]) => {
      const losses = new Float64Array(rowCount);
      given(values).forEach((z, i) => {
        const { positive, negative } = partsAt(i);
        const row = Math.floor(i / columns);
        losses[row] = given(losses[row]) + (positive * softplus(-z) + negative * softplus(z)) / columns;
      });
      return losses;
    },
    backward: ([values]) => {
      const unchanged = isWeighted ? [undefined] : [];
      if (!isTrained) return [undefined, ...unchanged];
      const gradient = given(values).map((z, i) => {
        const { positive, negative } = partsAt(i);
        const probability = 1 / (1 + Math.exp(-z));
        return ((negative * probability - positive * (1 - probability)) / columns) * lossScale;
      });
      return [gradient, ...unchanged];
    },
  };
}

export const binaryCrossEntropyCases = (): readonly OpCase[] => [
  binaryCrossEntropyCase(1, 1, 4),
  binaryCrossEntropyCase(65, 3, 4),
  binaryCrossEntropyCase(17, 17, 100),
  binaryCrossEntropyCase(3, 1000, 4),
  binaryCrossEntropyCase(17, 5, 4, { isWeighted: true }),
  binaryCrossEntropyCase(3, 65, 4, { isWeighted: true, isSoft: true }),
  binaryCrossEntropyCase(3, 3, 4, { isTrained: false }),
  binaryCrossEntropyCase(5, 65, 4, { isTrained: false, isWeighted: true }),
];
