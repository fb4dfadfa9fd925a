import { spanCrossEntropy } from '../ops/span_cross_entropy';
import { given, type OpCase, sequencesOf } from './case';
import { CaseRandom } from './random';

const LOSS_SCALE = 0.25;

/** Calls `visit(sequence, column, rows)` for both columns of each sequence; `rows` are its numbers' places in `[T, 2]`. */
function eachColumn(
  lengths: readonly number[],
  visit: (sequence: number, column: number, places: readonly number[]) => void,
): void {
  let first = 0;
  lengths.forEach((length, sequence) => {
    for (const column of [0, 1]) {
      const from = first;
      visit(
        sequence,
        column,
        Array.from({ length }, (_, token) => (from + token) * 2 + column),
      );
    }
    first += length;
  });
}

function logSum(values: readonly number[]): number {
  const largest = Math.max(...values);
  return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}

function spanCrossEntropyCase(lengths: readonly number[], scale: number, isTrained = true): OpCase {
  const random = new CaseRandom(lengths.length);
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const labels = Uint32Array.from(
    lengths.flatMap((length) => {
      const start = random.below(length);
      return [start, start + random.below(length - start)];
    }),
  );
  return {
    op: 'span_cross_entropy',
    name: `sequences of ${lengths.join(', ')}, logits up to ${scale}${isTrained ? '' : ', loss alone'}`,
    sequences: sequencesOf(lengths),
    labels,
    lossScale: LOSS_SCALE,
    isLoss: true,
    inputs: [
      {
        name: 'logits',
        rows: 'tokens',
        columns: 2,
        role: isTrained ? 'activation' : 'frozen',
        values: random.values(tokens * 2, scale),
      },
    ],
    build: (tape, [logits]) => spanCrossEntropy(tape, given(logits)),
    forward: ([logits]) => {
      const loss = new Float64Array(lengths.length);
      eachColumn(lengths, (sequence, column, places) => {
        const values = places.map((place) => given(given(logits)[place]));
        const chosen = given(values[given(labels[sequence * 2 + column])]);
        loss[sequence] = given(loss[sequence]) + (logSum(values) - chosen) / 2;
      });
      return loss;
    },
    backward: ([logits]) => {
      if (!isTrained) return [undefined];
      const gradient = new Float64Array(tokens * 2);
      eachColumn(lengths, (sequence, column, places) => {
        const values = places.map((place) => given(given(logits)[place]));
        const sum = logSum(values);
        places.forEach((place, token) => {
          const target = token === labels[sequence * 2 + column] ? 1 : 0;
          gradient[place] = ((Math.exp(given(values[token]) - sum) - target) / 2) * LOSS_SCALE;
        });
      });
      return [gradient];
    },
  };
}

export const spanCrossEntropyCases = (): readonly OpCase[] => [
  spanCrossEntropyCase([1], 4),
  spanCrossEntropyCase([3, 1, 17], 4),
  spanCrossEntropyCase([65, 2, 200], 100),
  spanCrossEntropyCase(
    Array.from({ length: 40 }, (_, i) => 1 + (i % 5)),
    4,
  ),
  spanCrossEntropyCase([5, 70], 4, false),
];
