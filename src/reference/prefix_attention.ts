import { prefixAttention } from '../ops/prefix_attention';
import { given, type OpCase, sequencesOf } from './case';
import { dropoutFactors } from './dropout';
import { CaseRandom } from './random';

interface Shape {
  readonly lengths: readonly number[];
  readonly heads: number;
  readonly headSize: number;
  /** Keys of the prefix. */
  readonly prefix: number;
  readonly dropout: number;
  readonly isTrained?: readonly [qkv: boolean, prefix: boolean];
}

const SEED = 11;
const STEP = 5;

/** One query of one head: places of its keys and values, in qkv or in the prefix, and what the softmax makes of them. */
interface Query {
  readonly output: number;
  readonly query: number;
  readonly pairs: readonly {
    readonly source: 'qkv' | 'prefix';
    readonly key: number;
    readonly value: number;
    readonly p: number;
    readonly factor: number;
  }[];
}

/** Straight from the definition: one softmax over the prefix' keys and the sequence's. */
function queriesOf(shape: Shape, qkv: Float64Array, prefix: Float64Array): Query[] {
  const { lengths, heads, headSize, dropout } = shape;
  const hidden = heads * headSize;
  const queries: Query[] = [];
  let start = 0;
  for (const length of lengths) {
    for (let head = 0; head < heads; head++) {
      const column = head * headSize;
      // The op is the first on its tape.
      const draw = { seed: SEED, step: STEP, opKey: 1, probability: dropout };
      const factor = (token: number, place: number, lane: number) =>
        dropout === 0 ? 1 : given(dropoutFactors(draw, token, head * 65536 + place)[lane]);
      for (let i = 0; i < length; i++) {
        const token = start + i;
        const query = token * 3 * hidden + column;
        const keys = [
          ...Array.from({ length: shape.prefix }, (_, j) => ({
            source: 'prefix' as const,
            key: j * hidden + column,
            value: (shape.prefix + j) * hidden + column,
            factor: factor(token, 32768 + Math.floor(j / 4), j % 4),
          })),
          ...Array.from({ length }, (_, j) => ({
            source: 'qkv' as const,
            key: (start + j) * 3 * hidden + hidden + column,
            value: (start + j) * 3 * hidden + 2 * hidden + column,
            factor: factor(token, Math.floor(j / 4), j % 4),
          })),
        ];
        const scores = keys.map(({ source, key }) => {
          const from = source === 'qkv' ? qkv : prefix;
          let sum = 0;
          for (let c = 0; c < headSize; c++) sum += given(qkv[query + c]) * given(from[key + c]);
          return sum / Math.sqrt(headSize);
        });
        const largest = Math.max(...scores);
        const exps = scores.map((score) => Math.exp(score - largest));
        const sum = exps.reduce((a, b) => a + b, 0);
        const pairs = keys.map((pair, j) => ({ ...pair, p: given(exps[j]) / sum }));
        queries.push({ output: token * hidden + column, query, pairs });
      }
    }
    start += length;
  }
  return queries;
}

function forward(shape: Shape, qkv: Float64Array, prefix: Float64Array): Float64Array {
  const output = new Float64Array(qkv.length / 3);
  for (const { output: at, pairs } of queriesOf(shape, qkv, prefix)) {
    for (const { source, value, p, factor } of pairs) {
      const from = source === 'qkv' ? qkv : prefix;
      for (let c = 0; c < shape.headSize; c++) {
        output[at + c] = given(output[at + c]) + p * factor * given(from[value + c]);
      }
    }
  }
  return output;
}

/** With the probabilities' full Jacobian. */
function backward(
  shape: Shape,
  qkv: Float64Array,
  prefix: Float64Array,
  outputGradient: Float64Array,
): { qkv: Float64Array; prefix: Float64Array } {
  const { headSize } = shape;
  const gradients = { qkv: new Float64Array(qkv.length), prefix: new Float64Array(prefix.length) };
  const add = (gradient: Float64Array, at: number, value: number) => {
    gradient[at] = given(gradient[at]) + value;
  };
  for (const { output, query, pairs } of queriesOf(shape, qkv, prefix)) {
    const dp = pairs.map(({ source, value, factor }) => {
      const from = source === 'qkv' ? qkv : prefix;
      let sum = 0;
      for (let c = 0; c < headSize; c++) sum += given(outputGradient[output + c]) * given(from[value + c]);
      return sum * factor;
    });
    const mean = pairs.reduce((sum, { p }, j) => sum + p * given(dp[j]), 0);
    pairs.forEach(({ source, key, value, p, factor }, j) => {
      const from = source === 'qkv' ? qkv : prefix;
      const ds = (p * (given(dp[j]) - mean)) / Math.sqrt(headSize);
      for (let c = 0; c < headSize; c++) {
        add(gradients.qkv, query + c, ds * given(from[key + c]));
        add(gradients[source], key + c, ds * given(qkv[query + c]));
        add(gradients[source], value + c, p * factor * given(outputGradient[output + c]));
      }
    });
  }
  return gradients;
}

function prefixAttentionCase(shape: Shape): OpCase {
  const { lengths, heads, headSize, prefix, dropout, isTrained = [true, true] } = shape;
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const hidden = heads * headSize;
  const random = new CaseRandom(headSize + prefix);
  const trained = ['qkv', 'prefix'].filter((_, i) => isTrained[i]);
  return {
    op: 'prefix_attention',
    name: `lengths ${lengths.join(', ')}, ${heads} heads of ${headSize}, prefix ${prefix}${dropout > 0 ? `, dropout ${dropout}` : ''}, gradients of ${trained.join(', ') || 'nothing'}`,
    sequences: sequencesOf(lengths),
    seed: SEED,
    step: STEP,
    inputs: [
      {
        name: 'qkv',
        rows: 'tokens',
        columns: 3 * hidden,
        role: isTrained[0] ? 'activation' : 'frozen',
        values: random.values(tokens * 3 * hidden, 1.5),
      },
      {
        name: 'prefix',
        rows: 2 * prefix,
        columns: hidden,
        role: isTrained[1] ? 'parameter' : 'frozen',
        values: random.values(2 * prefix * hidden, 1.5),
      },
    ],
    build: (tape, [qkv, tensor]) => prefixAttention(tape, given(qkv), given(tensor), heads, { dropout }),
    forward: ([qkv, values]) => forward(shape, given(qkv), given(values)),
    backward: ([qkv, values], outputGradient) => {
      const gradients = backward(shape, given(qkv), given(values), outputGradient);
      return [isTrained[0] ? gradients.qkv : undefined, isTrained[1] ? gradients.prefix : undefined];
    },
  };
}

export const prefixAttentionCases = (): readonly OpCase[] => [
  prefixAttentionCase({ lengths: [1, 2, 7, 33], heads: 3, headSize: 4, prefix: 5, dropout: 0 }),
  prefixAttentionCase({ lengths: [17, 3], heads: 2, headSize: 32, prefix: 30, dropout: 0 }),
  prefixAttentionCase({ lengths: [4], heads: 1, headSize: 64, prefix: 1, dropout: 0 }),
  prefixAttentionCase({ lengths: [2, 5], heads: 1, headSize: 128, prefix: 16, dropout: 0 }),
  prefixAttentionCase({ lengths: [1, 7, 18], heads: 3, headSize: 4, prefix: 21, dropout: 0.2 }),
  prefixAttentionCase({
    lengths: [9, 2],
    heads: 2,
    headSize: 8,
    prefix: 4,
    dropout: 0.1,
    isTrained: [false, true],
  }),
  prefixAttentionCase({
    lengths: [5],
    heads: 2,
    headSize: 8,
    prefix: 3,
    dropout: 0,
    isTrained: [false, false],
  }),
];
