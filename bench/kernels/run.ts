import type { Backend } from '../../src/backends/backend';
import { measurePeaks } from '../probe';
import { betterPeaks, copyRateNear, type Peaks, peaksTable } from '../probe/peaks';
import type { OnProgress } from '../report/progress';
import { defineTable, type Table } from '../report/table';
import type { Effort } from '../timing';
import type { KernelBenchmark } from './benchmark';
import { checkKernels } from './check';
import { benchmarksAt, checkedCases } from './index';
import { Inputs } from './inputs';
import { batchOf, type Size } from './size';
import { contractBytes, recordBenchmark, select, timeKernels } from './time-kernel';

export interface KernelsRequest {
  readonly backend: Backend;
  readonly sizes: readonly Size[];
  /** Which ops; all of them where undefined. */
  readonly ops: ReadonlySet<string> | undefined;
  readonly effort: Effort;
  readonly onProgress: OnProgress;
}

interface Timed {
  readonly kernel: string;
  readonly encoder: string;
  readonly shape: string;
  readonly milliseconds: number;
  /** Operations or bytes. */
  readonly amount: number;
  readonly isCompute: boolean;
}

/** Checks the kernels, then times each at every size, the probes before and after. Throws GraftError where one is wrong. */
export async function benchKernels(request: KernelsRequest): Promise<Table[]> {
  const { backend, sizes, ops, effort, onProgress } = request;
  const benchmarks = sizes.flatMap((size) =>
    benchmarksAt(size)
      .filter(({ op }) => ops === undefined || ops.has(op))
      .map((benchmark) => ({ benchmark, size })),
  );
  const measuredOps = new Set(benchmarks.map(({ benchmark }) => benchmark.op));
  const cases = checkedCases.filter(({ op }) => measuredOps.has(op));
  const checks = await checkKernels(backend, cases, onProgress);
  const total = benchmarks.length + 2;
  onProgress({ what: 'probes', done: 0, total });
  const peaksBefore = await measurePeaks(backend, effort);
  const timed: Timed[] = [];
  for (const [index, { benchmark, size }] of benchmarks.entries()) {
    onProgress({ what: `${benchmark.op} at ${size.encoder}'s size`, done: index + 1, total });
    timed.push(...(await timeBenchmark(request, benchmark, size)));
  }
  onProgress({ what: 'probes', done: total - 1, total });
  const peaks = betterPeaks(peaksBefore, await measurePeaks(backend, effort));
  return [peaksTable(peaks), kernelsTable(timed, peaks, sizes, checks)];
}

function kernelsTable(timed: readonly Timed[], peaks: Peaks, sizes: readonly Size[], checks: number): Table {
  const [batch] = sizes;
  return defineTable({
    name: 'kernels',
    title: `Kernels, ${batch?.sequences ?? 0} sequences of ${batch?.length ?? 0} tokens`,
    notes: [
      `${checks} checks against float64 passed first.`,
      'share: of the multiply-add probe for GFLOP/s; for GB/s of the copy probe whose size is nearest to the bytes moved.',
    ],
    columns: [
      { key: 'kernel', label: 'kernel' },
      { key: 'encoder', label: 'encoder' },
      { key: 'shape', label: 'shape' },
      { key: 'milliseconds', label: 'ms', digits: 4 },
      { key: 'rate', label: 'rate' },
      { key: 'unit', label: 'unit' },
      { key: 'share', label: 'share %', digits: 1 },
    ],
    rows: timed.map(({ kernel, encoder, shape, milliseconds, amount, isCompute }) => {
      const rate = amount / milliseconds / 1e6;
      const share = (100 * rate) / (isCompute ? peaks.gigaflops : copyRateNear(peaks, amount));
      return { kernel, encoder, shape, milliseconds, rate, unit: isCompute ? 'GFLOP/s' : 'GB/s', share };
    }),
  });
}

async function timeBenchmark(
  { backend, effort }: KernelsRequest,
  benchmark: KernelBenchmark,
  size: Size,
): Promise<Timed[]> {
  const batch = batchOf(size, benchmark.labelColumns);
  const inputs = new Inputs(backend, batch);
  try {
    const recorded = await recordBenchmark(benchmark, inputs);
    const timed: Timed[] = [];
    for (const measured of benchmark.rows) {
      const selection = select(recorded, measured);
      const milliseconds = await timeKernels(backend, batch, selection, effort);
      const { cost } = measured;
      const isCompute = 'operations' in cost;
      const amount = isCompute
        ? cost.operations
        : cost.bytes === 'contract'
          ? contractBytes(selection.measured, batch)
          : cost.bytes;
      const { kernel } = measured;
      timed.push({ kernel, encoder: size.encoder, shape: benchmark.shape, milliseconds, amount, isCompute });
    }
    return timed;
  } finally {
    inputs.dispose();
  }
}
