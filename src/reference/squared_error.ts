import { squaredError } from '../ops/squared_error';
import { given, type OpCase, sequencesOf } from './case';
import { CaseRandom } from './random';

function squaredErrorCase(sequenceCount: number, isTrained = true): OpCase {
  const random = new CaseRandom(sequenceCount);
  const labels = Float32Array.from(random.values(sequenceCount, 5));
  const lossScale = 0.25;
  const difference = (predictions: Float64Array) => predictions.map((value, i) => value - given(labels[i]));
  return {
    op: 'squared_error',
    name: `${sequenceCount} sequences${isTrained ? '' : ', loss alone'}`,
    sequences: sequencesOf(Array.from({ length: sequenceCount }, () => 1)),
    labels,
    lossScale,
    isLoss: true,
    inputs: [
      {
        name: 'predictions',
        rows: 'sequences',
        columns: 1,
        role: isTrained ? 'activation' : 'frozen',
        values: random.values(sequenceCount, 5),
      },
    ],
    build: (tape, [predictions]) => squaredError(tape, given(predictions)),
    forward: ([predictions]) => difference(given(predictions)).map((value) => value * value),
    backward: ([predictions]) => [
      isTrained ? difference(given(predictions)).map((value) => 2 * value * lossScale) : undefined,
    ],
  };
}

export const squaredErrorCases = (): readonly OpCase[] => [
  ...[1, 3, 17, 65].map((count) => squaredErrorCase(count)),
  squaredErrorCase(3, false),
];
