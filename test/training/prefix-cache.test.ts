/** Training with the lower layers computed once per example, on a two-layer BERT with random weights. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { houlsby } from '../../src/adapters/houlsby';
import { OptionError } from '../../src/errors';
import { type Backbone, loadBackbone } from '../../src/training/backbone';
import { createRuntime, type Runtime } from '../../src/training/runtime';
import type { Task } from '../../src/training/task';
import type {
  DoneReport,
  EpochReport,
  Example,
  StepReport,
  TrainingOptions,
  TrainingReport,
} from '../../src/training/types';
import { goldenPath } from '../support/checkpoint';

const words = ['love', 'watch', 'end', 'make', 'see', 'never', 'always', 'ever'];
const examples: Example[] = words.flatMap((word, i) => [
  { text: `${word} new ${'very '.repeat(i)}`, label: 'fresh' },
  { text: `old ${word}`, label: 'stale' },
]);
const dev: Example[] = words.map((word) => ({ text: `new ${word} ${word}`, label: 'fresh' }));
const recipe: TrainingOptions = { batchSize: 6, learningRate: 5e-3, epochs: 4, seed: 5, dev };

/** Tokens of the examples, special ones included, times the hidden size times 4. */
const TRAIN_BYTES = 2 * (8 * 4 + 28 / 2) * 64 * 4;

let runtime: Runtime;
let backbone: Backbone;
let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'graft-prefix-'));
  vi.stubEnv('TMPDIR', directory);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true });
});

interface Run {
  readonly steps: StepReport[];
  readonly epochs: EpochReport[];
  readonly done: DoneReport;
  readonly files: Awaited<ReturnType<Task['save']>>;
}

function createTask(
  more: { adapterLayers?: number[]; layerNorm?: 'none'; dropout?: number } = {},
): Promise<Task> {
  return backbone.createTask({
    labels: ['fresh', 'stale'],
    adapter: houlsby({ bottleneck: 8 }),
    adapterLayers: [1],
    dropout: 0.2,
    maxLength: 32,
    ...more,
  });
}

async function train(task: Task, options: TrainingOptions): Promise<Run> {
  const reports: TrainingReport[] = [];
  for await (const report of task.train(examples, options)) reports.push(report);
  const done = reports.find((report): report is DoneReport => report.type === 'done');
  if (done === undefined) throw new Error('the run did not end');
  return {
    steps: reports.filter((report): report is StepReport => report.type === 'step'),
    epochs: reports.filter((report): report is EpochReport => report.type === 'epoch'),
    done,
    files: await task.save(),
  };
}

/** A run of a new task. */
async function trainNew(options: TrainingOptions, more: Parameters<typeof createTask>[0] = {}): Promise<Run> {
  const task = await createTask(more);
  try {
    return await train(task, options);
  } finally {
    task.dispose();
  }
}

/** What a run comes to, without its times. */
function results({ steps, epochs, files }: Run) {
  return {
    losses: steps.map(({ loss, gradientNorm }) => [loss, gradientNorm]),
    epochs: epochs.map(({ trainLoss, dev: metrics }) => [trainLoss, metrics]),
    files,
  };
}

/** Aborts after a step and returns the state that was saved then. */
async function interrupt(options: TrainingOptions, after: number): Promise<Uint8Array | undefined> {
  const task = await createTask();
  const controller = new AbortController();
  let state: Uint8Array | undefined;
  const run = task.train(examples, {
    ...options,
    signal: controller.signal,
    onCheckpoint: async (bytes) => {
      state = bytes;
    },
  });
  const consume = async () => {
    for await (const report of run) if (report.type === 'step' && report.step === after) controller.abort();
  };
  await expect(consume()).rejects.toThrow('abort');
  task.dispose();
  return state;
}

describe.each(['webgpu', 'wasm'] as const)('on %s', (backend) => {
  let plain: Run;
  beforeAll(async () => {
    runtime = await createRuntime({ backend });
    backbone = await loadBackbone(goldenPath('bert', 'checkpoint'), { runtime });
    plain = await trainNew({ ...recipe, prefixCache: 'off' });
  });
  afterAll(() => {
    backbone.dispose();
    runtime.dispose();
  });

  it.each<[string, TrainingOptions['prefixCache'], (run: Run) => void]>([
    [
      'in memory',
      'auto',
      ({ done: { prefixCache } }) => {
        expect(prefixCache?.memoryBytes).toBeGreaterThan(TRAIN_BYTES);
        expect(prefixCache?.diskBytes).toBe(0);
      },
    ],
    [
      'on the disk',
      'disk',
      ({ done: { prefixCache } }) => {
        expect(prefixCache?.memoryBytes).toBe(0);
        expect(prefixCache?.diskBytes).toBeGreaterThan(TRAIN_BYTES);
      },
    ],
    [
      'in both',
      { memoryBytes: 8000 },
      ({ done: { prefixCache } }) => {
        expect(prefixCache?.memoryBytes).toBeGreaterThan(6000);
        expect(prefixCache?.memoryBytes).toBeLessThanOrEqual(8000);
        expect(prefixCache?.diskBytes).toBeGreaterThan(TRAIN_BYTES - 8000);
      },
    ],
  ])('kept %s, the lower layers give the same bytes as computed each time', async (_, prefixCache, check) => {
    expect(plain.done.prefixCache).toBeUndefined();
    const kept = await trainNew({ ...recipe, prefixCache });
    expect(results(kept)).toEqual(results(plain));
    expect(kept.done.prefixCache).toMatchObject({ layers: 1, examples: 16 + 8, note: undefined });
    check(kept);
    // It is no run that learns nothing, and no cache that sees no dropout.
    expect(kept.epochs.at(-1)?.trainLoss).toBeLessThan(0.8 * (kept.epochs[0]?.trainLoss ?? 0));
    expect(results(await trainNew({ ...recipe, prefixCache }, { dropout: 0 }))).not.toEqual(results(plain));
    expect(readdirSync(directory)).toEqual([]);
  });

  it('so do micro-batches', async () => {
    const [kept, computed] = [
      await trainNew({ ...recipe, tokenBudget: 32 }),
      await trainNew({ ...recipe, tokenBudget: 32, prefixCache: 'off' }),
    ];
    expect(results(kept)).toEqual(results(computed));
    kept.epochs.forEach(({ trainLoss }, epoch) => {
      expect(trainLoss).toBeCloseTo(plain.epochs[epoch]?.trainLoss ?? Number.NaN, 5);
    });
  });

  it('so does a run that recomputes activations, kept or not', async () => {
    const [kept, computed] = [
      await trainNew({ ...recipe, recompute: true }),
      await trainNew({ ...recipe, recompute: true, prefixCache: 'off' }),
    ];
    expect(results(kept)).toEqual(results(plain));
    expect(results(computed)).toEqual(results(plain));
    expect(kept.done.prefixCache?.examples).toBe(24);
  });

  it('so does a run that was interrupted, kept before and not after, or the other way round', async () => {
    for (const [before, after] of [
      ['auto', 'auto'],
      ['off', 'disk'],
      ['disk', 'off'],
    ] as const) {
      const resume = await interrupt({ ...recipe, prefixCache: before }, 5);
      const task = await createTask();
      const resumed = await train(task, { ...recipe, prefixCache: after, resume });
      expect(resumed.steps[0]?.step).toBe(6);
      expect(resumed.files).toEqual(plain.files);
      task.dispose();
      expect(readdirSync(directory)).toEqual([]);
    }
  });

  it('evaluates with the kept rows as without', async () => {
    const task = await createTask();
    const { done } = await train(task, recipe);
    expect(await task.evaluate(dev)).toEqual(done.dev);
    const copy = await backbone.loadTask(await task.save());
    expect(copy.adapterLayers).toEqual([1]);
    expect(copy.trainableParameters).toBe(task.trainableParameters);
    expect(await copy.predict(['see new', 'old end'])).toEqual(await task.predict(['see new', 'old end']));
    task.dispose();
    copy.dispose();
  });

  it('gives all device memory back, also where the run is aborted', async () => {
    const before = runtime.compute.memory.held;
    await trainNew(recipe);
    await interrupt({ ...recipe, prefixCache: 'disk' }, 2);
    expect(runtime.compute.memory.held).toBe(before);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('a disk that cannot be written is no more than a note', async () => {
    vi.stubEnv('TMPDIR', join(directory, 'missing'));
    const kept = await trainNew({ ...recipe, prefixCache: { memoryBytes: 8000 } });
    expect(results(kept)).toEqual(results(plain));
    const { prefixCache } = kept.done;
    expect(prefixCache?.examples).toBeGreaterThan(3);
    expect(prefixCache?.examples).toBeLessThan(24);
    expect(prefixCache?.note).toMatch(/missing.*cannot be made: no such file or directory \(ENOENT\)/);
    expect(kept.epochs[0]?.prefixCache?.note).toBe(prefixCache?.note);
  });

  it('is not used where it cannot help', async () => {
    expect((await trainNew({ ...recipe, epochs: 1 })).done.prefixCache).toBeUndefined();
    expect((await trainNew(recipe, { adapterLayers: [0] })).done.prefixCache).toBeUndefined();
    expect((await trainNew(recipe, { adapterLayers: [0, 1] })).done.prefixCache).toBeUndefined();
    expect((await trainNew(recipe, { layerNorm: 'none' })).done.prefixCache).toMatchObject({ layers: 1 });
  });

  it('refuses other settings by name', async () => {
    const task = await createTask();
    const given = { prefixCache: { memoryBytes: -1 } };
    await expect(train(task, { ...recipe, ...given })).rejects.toThrow(OptionError);
    await expect(train(task, { ...recipe, ...given })).rejects.toThrow(/prefixCache: \{"memoryBytes":-1\}/);
    const state = await interrupt(recipe, 2);
    const other = await createTask({ adapterLayers: [0, 1] });
    await expect(train(other, { ...recipe, resume: state })).rejects.toThrow(/adapterLayers: .*1, now.*0,1/);
    task.dispose();
    other.dispose();
  });
});
