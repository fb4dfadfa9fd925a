import { attention } from '../ops/attention';
import { given, type OpCase, sequencesOf } from './case';
import { dropoutFactors } from './dropout';
import { CaseRandom } from './random';

interface Shape {
  readonly lengths: readonly number[];
  readonly heads: number;
  readonly headSize: number;
  readonly dropout: number;
  readonly isTrained: boolean;
}

const SEED = 11;
const STEP = 5;

/** Column of a head's first query, key or value in a row of qkv. */
const columnOf = (shape: Shape, part: 0 | 1 | 2, head: number) =>
  part * shape.heads * shape.headSize + head * shape.headSize;

/** Calls `visit` for each head of each sequence with its first token and length. */
function eachHead(shape: Shape, visit: (start: number, length: number, head: number) => void): void {
  let start = 0;
  for (const length of shape.lengths) {
    for (let head = 0; head < shape.heads; head++) visit(start, length, head);
    start += length;
  }
}

/** Rows × rows products: a[i] · b[j] over `size` columns. */
function products(
  a: Float64Array,
  aBegin: (i: number) => number,
  b: Float64Array,
  bBegin: (j: number) => number,
  length: number,
  size: number,
): number[][] {
  return Array.from({ length }, (_, i) =>
    Array.from({ length }, (_, j) => {
      let sum = 0;
      for (let c = 0; c < size; c++) sum += given(a[aBegin(i) + c]) * given(b[bBegin(j) + c]);
      return sum;
    }),
  );
}

/** Softmax of each query's scores, `[length, length]`, and the dropout factors of the same shape. */
function probabilities(shape: Shape, qkv: Float64Array, start: number, length: number, head: number) {
  const { headSize, heads, dropout } = shape;
  const row = (i: number) => (start + i) * 3 * heads * headSize;
  const scores = products(
    qkv,
    (i) => row(i) + columnOf(shape, 0, head),
    qkv,
    (j) => row(j) + columnOf(shape, 1, head),
    length,
    headSize,
  );
  const p = scores.map((line) => {
    const scaled = line.map((score) => score / Math.sqrt(headSize));
    const largest = Math.max(...scaled);
    const exps = scaled.map((score) => Math.exp(score - largest));
    const sum = exps.reduce((a, b) => a + b, 0);
    return exps.map((value) => value / sum);
  });
  // The op is the first on its tape.
  const draw = { seed: SEED, step: STEP, opKey: 1, probability: dropout };
  const factors = p.map((line, i) =>
    line.map((_, j) =>
      dropout === 0 ? 1 : given(dropoutFactors(draw, start + i, head * 65536 + Math.floor(j / 4))[j % 4]),
    ),
  );
  return { p, factors, row };
}

function forward(shape: Shape, qkv: Float64Array): Float64Array {
  const { heads, headSize } = shape;
  const hidden = heads * headSize;
  const output = new Float64Array(qkv.length / 3);
  eachHead(shape, (start, length, head) => {
    const { p, factors, row } = probabilities(shape, qkv, start, length, head);
    for (let i = 0; i < length; i++) {
      for (let c = 0; c < headSize; c++) {
        let sum = 0;
        for (let j = 0; j < length; j++) {
          sum +=
            given(p[i]?.[j]) * given(factors[i]?.[j]) * given(qkv[row(j) + columnOf(shape, 2, head) + c]);
        }
        output[(start + i) * hidden + head * headSize + c] = sum;
      }
    }
  });
  return output;
}

/** Straight from the definition, with the probabilities' full Jacobian: dS = P ⊙ (dP − rowsum(P ⊙ dP)). */
function backward(shape: Shape, qkv: Float64Array, outputGradient: Float64Array): Float64Array {
  const { heads, headSize } = shape;
  const hidden = heads * headSize;
  const gradient = new Float64Array(qkv.length);
  const add = (index: number, value: number) => {
    gradient[index] = given(gradient[index]) + value;
  };
  eachHead(shape, (start, length, head) => {
    const { p, factors, row } = probabilities(shape, qkv, start, length, head);
    const output = (i: number) => (start + i) * hidden + head * headSize;
    const [q, k, v] = [columnOf(shape, 0, head), columnOf(shape, 1, head), columnOf(shape, 2, head)];
    const valueProducts = products(outputGradient, output, qkv, (j) => row(j) + v, length, headSize);
    for (let i = 0; i < length; i++) {
      const dp = given(valueProducts[i]).map((value, j) => value * given(factors[i]?.[j]));
      const mean = dp.reduce((sum, value, j) => sum + value * given(p[i]?.[j]), 0);
      for (let j = 0; j < length; j++) {
        const ds = (given(p[i]?.[j]) * (given(dp[j]) - mean)) / Math.sqrt(headSize);
        const weight = given(p[i]?.[j]) * given(factors[i]?.[j]);
        for (let c = 0; c < headSize; c++) {
          add(row(i) + q + c, ds * given(qkv[row(j) + k + c]));
          add(row(j) + k + c, ds * given(qkv[row(i) + q + c]));
          add(row(j) + v + c, weight * given(outputGradient[output(i) + c]));
        }
      }
    }
  });
  return gradient;
}

function attentionCase(shape: Shape): OpCase {
  const { lengths, heads, headSize, dropout, isTrained } = shape;
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const columns = 3 * heads * headSize;
  return {
    op: 'attention',
    name: `lengths ${lengths.join(', ')}, ${heads} heads of ${headSize}${dropout > 0 ? `, dropout ${dropout}` : ''}${isTrained ? '' : ', no gradient'}`,
    sequences: sequencesOf(lengths),
    seed: SEED,
    step: STEP,
    inputs: [
      {
        name: 'qkv',
        rows: 'tokens',
        columns,
        role: isTrained ? 'activation' : 'frozen',
        values: new CaseRandom(headSize).values(tokens * columns, 1.5),
      },
    ],
    build: (tape, [qkv]) => attention(tape, given(qkv), heads, { dropout }),
    forward: ([qkv]) => forward(shape, given(qkv)),
    backward: ([qkv], outputGradient) => [
      isTrained ? backward(shape, given(qkv), outputGradient) : undefined,
    ],
  };
}

const LENGTHS = [1, 2, 7, 33, 65];

export const attentionCases = (): readonly OpCase[] => [
  attentionCase({ lengths: LENGTHS, heads: 3, headSize: 4, dropout: 0, isTrained: true }),
  attentionCase({ lengths: LENGTHS, heads: 1, headSize: 16, dropout: 0, isTrained: true }),
  attentionCase({ lengths: [33, 7], heads: 2, headSize: 32, dropout: 0, isTrained: true }),
  attentionCase({ lengths: [2, 17], heads: 1, headSize: 64, dropout: 0, isTrained: true }),
  attentionCase({ lengths: [2, 17], heads: 1, headSize: 128, dropout: 0, isTrained: true }),
  attentionCase({ lengths: [1, 7, 33], heads: 3, headSize: 4, dropout: 0.2, isTrained: true }),
  attentionCase({ lengths: [1, 17], heads: 3, headSize: 4, dropout: 0, isTrained: false }),
];
