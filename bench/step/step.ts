import type { Backend, KernelTime } from '../../src/backends/backend';
import type { WeightStorage } from '../../src/backends/frozen-matrix';
import { resolveTokenBudget } from '../../src/training/record-task';
import type { StepTimings } from '../../src/training/types';
import type { OnProgress } from '../report/progress';
import { defineTable, type Table } from '../report/table';
import type { ShapeName } from '../shapes';
import { median } from '../statistics';
import { type StepBatch, StepBench, type StepSetup, totalOf } from './step-bench';

export interface StepRequest {
  readonly backend: Backend;
  readonly shapes: readonly ShapeName[];
  readonly batch: StepBatch;
  /** Beside one that warms up. */
  readonly steps: number;
  /** What training would take by itself where undefined. */
  readonly tokenBudget: number | undefined;
  /** How the frozen weights are kept. */
  readonly weights: WeightStorage;
  /** Beside the ordinary step, in turn with it, one that computes activations again. */
  readonly recompute: boolean;
  readonly onProgress: OnProgress;
}

const PARTS = ['encode', 'device', 'readBack', 'optimizer', 'upload'] as const;

/** Where the time of a training step goes: on this thread, on the device, and there by kernel. */
export async function benchStep(request: StepRequest): Promise<Table[]> {
  const { backend, shapes, batch, steps, weights, recompute, onProgress } = request;
  const tokens = batch.sequences * batch.length;
  const tokenBudget =
    request.tokenBudget ?? resolveTokenBudget('auto', backend, batch.sequences, batch.length);
  const setups: StepSetup[] = [];
  const times: { encoder: string; timings: StepTimings }[] = [];
  const kernels: { encoder: string; times: readonly KernelTime[] }[] = [];
  for (const [done, shape] of shapes.entries()) {
    onProgress({ what: `step at ${shape}'s size`, done, total: shapes.length });
    const open = (recomputed: boolean) =>
      StepBench.open(backend, shape, {
        tokenBudget,
        mostSequences: batch.sequences,
        weights,
        recompute: recomputed,
      });
    const benches = [await open(false)];
    try {
      if (recompute) benches.push(await open(true));
      const timings = await inTurn(benches, batch, steps);
      for (const [index, bench] of benches.entries()) {
        const { encoder } = bench.setup;
        setups.push(bench.setup);
        times.push({ encoder, timings: medians(timings[index] ?? []) });
        if (hasTimers(backend)) kernels.push({ encoder, times: await bench.profile(batch) });
      }
    } finally {
      for (const bench of benches) bench.dispose();
    }
  }
  const size = `${batch.sequences} sequences of ${batch.length} tokens, budget ${tokenBudget}, weights in ${weights}`;
  return [stepTable(times, size, tokens), setupTable(setups), kernelTable(kernels, tokenBudget)];
}

/** Steps of each, one after another round by round, after a first one that warms up. */
async function inTurn(
  benches: readonly StepBench[],
  batch: StepBatch,
  steps: number,
): Promise<readonly StepTimings[][]> {
  const timings: StepTimings[][] = benches.map(() => []);
  for (const bench of benches) await bench.run(batch, 1);
  for (let round = 0; round < steps; round++) {
    for (const [index, bench] of benches.entries()) timings[index]?.push(...(await bench.run(batch, 1)));
  }
  return timings;
}

function hasTimers({ name, device }: Backend): boolean {
  return name !== 'webgpu' || device.features.includes('timestamp-query');
}

function medians(timings: readonly StepTimings[]): StepTimings {
  const of = (part: keyof StepTimings) => median(timings.map((timing) => timing[part]));
  return {
    encode: of('encode'),
    device: of('device'),
    readBack: of('readBack'),
    optimizer: of('optimizer'),
    upload: of('upload'),
  };
}

function stepTable(
  times: readonly { encoder: string; timings: StepTimings }[],
  size: string,
  tokens: number,
): Table {
  return defineTable({
    name: 'step',
    title: `A training step, ${size}`,
    notes: [
      'Milliseconds, median. Everything but device is time of the JavaScript thread; host is their sum.',
    ],
    columns: [
      { key: 'encoder', label: 'encoder' },
      { key: 'tokens', label: 'tokens', digits: 0 },
      ...PARTS.map((key) => ({ key, label: key === 'readBack' ? 'read-back' : key })),
      { key: 'host', label: 'host' },
      { key: 'total', label: 'total' },
      { key: 'tokensPerSecond', label: 'tokens/s', digits: 0 },
    ],
    rows: times.map(({ encoder, timings }) => {
      const total = totalOf(timings);
      return {
        encoder,
        tokens,
        ...timings,
        host: total - timings.device,
        total,
        tokensPerSecond: (1000 * tokens) / total,
      };
    }),
  });
}

function setupTable(setups: readonly StepSetup[]): Table {
  return defineTable({
    name: 'step-setup',
    title: 'What a step needs',
    notes: ['Houlsby adapters of bottleneck 64, LayerNorms and head trained; a vocabulary of 1,000.'],
    columns: [
      { key: 'encoder', label: 'encoder' },
      { key: 'trained', label: 'trained numbers', digits: 0 },
      { key: 'dispatches', label: 'dispatches', digits: 0 },
      { key: 'prepare', label: 'prepare ms', digits: 0 },
      { key: 'weights', label: 'weights MiB', digits: 1 },
      { key: 'schedule', label: 'schedule MiB', digits: 1 },
      { key: 'slots', label: 'slots', digits: 0 },
    ],
    rows: setups.map((setup) => ({
      encoder: setup.encoder,
      trained: setup.trainedParameters,
      dispatches: setup.dispatches,
      prepare: setup.prepareMilliseconds,
      weights: setup.weightBytes / 2 ** 20,
      schedule: setup.scheduleBytes / 2 ** 20,
      slots: setup.slots,
    })),
  });
}

function kernelTable(
  kernels: readonly { encoder: string; times: readonly KernelTime[] }[],
  tokenBudget: number,
): Table {
  return defineTable({
    name: 'step-kernels',
    title: `Where a micro-batch's time goes (at most ${tokenBudget} tokens)`,
    notes: kernels.length > 0 ? [] : ['This device has no timers (timestamp-query).'],
    columns: [
      { key: 'encoder', label: 'encoder' },
      { key: 'kernel', label: 'kernel' },
      { key: 'dispatches', label: 'dispatches', digits: 0 },
      { key: 'milliseconds', label: 'ms' },
      { key: 'share', label: 'share %', digits: 1 },
    ],
    rows: kernels.flatMap(({ encoder, times }) => {
      const sum = times.reduce((all, { milliseconds }) => all + milliseconds, 0);
      return [...times]
        .sort((a, b) => b.milliseconds - a.milliseconds)
        .map((time) => ({ encoder, ...time, share: (100 * time.milliseconds) / sum }));
    }),
  });
}
