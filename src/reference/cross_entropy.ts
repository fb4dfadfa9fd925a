import { crossEntropy } from '../ops/cross_entropy';
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

function crossEntropyCase(sequenceCount: number, classes: number, scale: number, isTrained = true): OpCase {
  const random = new CaseRandom(classes);
  const labels = Uint32Array.from({ length: sequenceCount }, () => random.below(classes));
  const lossScale = 0.25;
  return {
    op: 'cross_entropy',
    name: `${sequenceCount}×${classes}, logits up to ${scale}${isTrained ? '' : ', loss alone'}`,
    sequences: sequencesOf(Array.from({ length: sequenceCount }, () => 1)),
    labels,
    lossScale,
    isLoss: true,
    inputs: [
      {
        name: 'logits',
        rows: 'sequences',
        columns: classes,
        role: isTrained ? 'activation' : 'frozen',
        values: random.values(sequenceCount * classes, scale),
      },
    ],
    build: (tape, [logits]) => crossEntropy(tape, given(logits)),
    forward: ([logits]) =>
      Float64Array.from(
        logSums(given(logits), classes).map(
          (logSum, row) => logSum - given(given(logits)[row * classes + given(labels[row])]),
        ),
      ),
    backward: ([logits]) => {
      if (!isTrained) return [undefined];
      const sums = logSums(given(logits), classes);
      return [
        given(logits).map((value, i) => {
          const row = Math.floor(i / classes);
          const target = i % classes === labels[row] ? 1 : 0;
          return (Math.exp(value - given(sums[row])) - target) * lossScale;
        }),
      ];
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
  crossEntropyCase(3, 3, 4, false),
];
