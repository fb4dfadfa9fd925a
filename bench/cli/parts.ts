/** Each part with its sizes: full, or quick. */
import type { Backend } from '../../src/backends/backend';
import { OptionError } from '../../src/errors';
import { benchColdStart } from '../cold-start/cold-start';
import { checkedCases } from '../kernels';
import { benchKernels } from '../kernels/run';
import { sizeOf } from '../kernels/size';
import { benchOptimizer } from '../optimizer/optimizer';
import { measurePeaks } from '../probe';
import { peaksTable } from '../probe/peaks';
import type { OnProgress } from '../report/progress';
import type { Table } from '../report/table';
import type { ShapeName } from '../shapes';
import { benchStep } from '../step/step';
import { benchTokens, QUICK_TOKEN_COUNTS, TOKEN_COUNTS } from '../step/tokens';
import { FULL_EFFORT, QUICK_EFFORT } from '../timing';
import { benchTokenizer } from '../tokenizer/tokenizer';
import type { BenchOptions, Part } from './program';

export type RunPart = (
  backend: Backend,
  options: BenchOptions,
  onProgress: OnProgress,
) => Promise<readonly Table[]>;

const ALL_SHAPES: readonly ShapeName[] = ['minilm', 'base', 'large'];

export const parts: Readonly<Record<Part, RunPart>> = {
  async probes(backend, { quick }) {
    return [peaksTable(await measurePeaks(backend, quick ? QUICK_EFFORT : FULL_EFFORT))];
  },

  kernels(backend, { quick, shape, op, sequences, length }, onProgress) {
    const shapes = shape ?? (quick ? ['minilm' as const] : ALL_SHAPES);
    return benchKernels({
      backend,
      sizes: shapes.map((name) => sizeOf(name, sequences ?? (quick ? 2 : 16), length)),
      ops: op === undefined ? undefined : knownOps(op),
      effort: quick ? QUICK_EFFORT : FULL_EFFORT,
      onProgress,
    });
  },

  step(backend, { quick, shape, sequences, length, steps, tokenBudget, weights, recompute }, onProgress) {
    return benchStep({
      backend,
      shapes: shape ?? ['minilm'],
      batch: { sequences: sequences ?? (quick ? 2 : 32), length },
      steps: steps ?? (quick ? 1 : 3),
      tokenBudget,
      weights,
      recompute,
      onProgress,
    });
  },

  tokens(backend, { quick, steps, tokenBudget, weights }, onProgress) {
    const counts = quick ? QUICK_TOKEN_COUNTS : TOKEN_COUNTS;
    return benchTokens({
      backend,
      counts,
      steps: steps ?? (quick ? 1 : 3),
      tokenBudget,
      weights,
      onProgress,
    });
  },

  async tokenizer(_, { quick, vocabulary, text, cased }) {
    const files = vocabulary === undefined || text === undefined ? undefined : { vocabulary, text };
    return [await benchTokenizer({ files, lowercase: !cased, runs: quick ? 2 : 15 })];
  },

  async optimizer(_, { quick }) {
    return [await benchOptimizer(quick ? 5 : 200)];
  },

  async 'cold-start'(backend, { quick }, onProgress) {
    return [await benchColdStart({ backend: backend.name, processes: quick ? 1 : 5, onProgress })];
  },
};

function knownOps(names: readonly string[]): ReadonlySet<string> {
  const known = new Set(checkedCases.map(({ op }) => op));
  for (const name of names) {
    if (!known.has(name))
      throw new OptionError('op', `there is no op ${name}`, `There are ${[...known].join(', ')}`);
  }
  return new Set(names);
}
