import type { Backend } from '../../src/backends/backend';
import type { WeightStorage } from '../../src/backends/frozen-matrix';
import { resolveTokenBudget } from '../../src/training/record-task';
import type { OnProgress } from '../report/progress';
import { defineTable, type Table } from '../report/table';
import { fitLine, type Line } from './line';
import { StepBench, totalOf } from './step-bench';

export interface TokensRequest {
  readonly backend: Backend;
  /** Tokens of a step, each a multiple of 32. */
  readonly counts: readonly number[];
  /** Of each count, beside one that warms up. */
  readonly steps: number;
  readonly tokenBudget: number | undefined;
  /** How the frozen weights are kept. */
  readonly weights: WeightStorage;
  readonly onProgress: OnProgress;
}

/** 64, 128, … 4096 */
export const TOKEN_COUNTS: readonly number[] = [6, 7, 8, 9, 10, 11, 12].map((power) => 2 ** power);
export const QUICK_TOKEN_COUNTS: readonly number[] = [64, 128, 192];

const LENGTH = 32;

/** What a step costs against the tokens in it: nothing is padded, so that a line through the origin is the ideal. */
export async function benchTokens(request: TokensRequest): Promise<Table[]> {
  const { backend, counts, steps, weights, onProgress } = request;
  const mostSequences = Math.max(...counts) / LENGTH;
  const tokenBudget = request.tokenBudget ?? resolveTokenBudget('auto', backend, mostSequences, LENGTH);
  const bench = await StepBench.open(backend, 'minilm', {
    tokenBudget,
    mostSequences,
    weights,
    recompute: false,
  });
  const fastest = counts.map(() => Number.POSITIVE_INFINITY);
  try {
    // The counts take turns, so that a machine that is slower for a while is so for all of them.
    for (let round = 0; round <= steps; round++) {
      for (const [index, tokens] of counts.entries()) {
        const done = round * counts.length + index;
        onProgress({ what: `a step of ${tokens} tokens`, done, total: (1 + steps) * counts.length });
        const timings = await bench.run({ sequences: tokens / LENGTH, length: LENGTH }, 1);
        if (round > 0) fastest[index] = Math.min(fastest[index] ?? 0, ...timings.map(totalOf));
      }
    }
  } finally {
    bench.dispose();
  }
  const line = fitLine(counts, fastest);
  return [pointsTable(counts, fastest, line, { tokenBudget, weights }), lineTable(line)];
}

function pointsTable(
  counts: readonly number[],
  times: readonly number[],
  line: Line,
  { tokenBudget, weights }: { readonly tokenBudget: number; readonly weights: WeightStorage },
): Table {
  return defineTable({
    name: 'tokens',
    title: 'Cost of a step against its tokens: MiniLM, sequences of 32 tokens',
    notes: [
      `The fastest of several steps. A micro-batch holds at most ${tokenBudget} tokens; weights in ${weights}.`,
    ],
    columns: [
      { key: 'tokens', label: 'tokens', digits: 0 },
      { key: 'milliseconds', label: 'ms a step' },
      { key: 'perThousand', label: 'ms per 1,000 tokens' },
      { key: 'residual', label: 'residual ms' },
    ],
    rows: counts.map((tokens, index) => {
      const milliseconds = times[index] ?? Number.NaN;
      return {
        tokens,
        milliseconds,
        perThousand: (1000 * milliseconds) / tokens,
        residual: line.residuals[index] ?? Number.NaN,
      };
    }),
  });
}

function lineTable({ slope, intercept, rSquared }: Line): Table {
  return defineTable({
    name: 'tokens-line',
    title: 'The line of least squares through them',
    notes: [],
    columns: [
      { key: 'slope', label: 'ms per 1,000 tokens' },
      { key: 'intercept', label: 'intercept ms' },
      { key: 'rSquared', label: 'R²', digits: 5 },
    ],
    rows: [{ slope: 1000 * slope, intercept, rSquared }],
  });
}
