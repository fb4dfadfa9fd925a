import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Interrupted } from '../../src/cli/interrupt';
import type { TrainOptions } from '../../src/cli/options';
import { train } from '../../src/cli/train';
import { readTrainingLog } from '../../src/cli/training-log';
import {
  DivergedError,
  type Example,
  FileWriteError,
  type TrainingOptions,
  type TrainingReport,
} from '../../src/index';
import { done, epoch, step } from './fixtures';

/** Stands in for the library: what a test makes the trainer do, and what the command asked of it. */
const library = vi.hoisted(() => ({
  trainer: async function* (_options: TrainingOptions): AsyncGenerator<TrainingReport> {},
  tasks: [] as unknown[],
  examples: [] as readonly Example[],
  options: {} as TrainingOptions,
  disposed: 0,
}));

vi.mock('../../src/index', async (original) => ({
  ...(await original<typeof import('../../src/index')>()),
  createRuntime: async () => ({
    backend: 'webgpu',
    device: { name: 'a device' },
    dispose() {
      library.disposed++;
    },
  }),
  loadBackbone: async () => ({
    createTask: async (options: object) => {
      library.tasks.push(options);
      return {
        train(examples: readonly Example[], trainingOptions: TrainingOptions) {
          library.examples = examples;
          library.options = trainingOptions;
          return library.trainer(trainingOptions);
        },
        save: async () => ({
          'adapter.safetensors': new Uint8Array([1]),
          'adapter_config.json': new Uint8Array([2]),
        }),
      };
    },
  }),
}));

let directory = '';
let stdout = '';
let stderr = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'graft-train-'));
  writeFileSync(join(directory, 'train.tsv'), 'text\tlabel\ngood\tyes\nbad\tno\nfine\tyes\n');
  writeFileSync(join(directory, 'dev.tsv'), 'text\tlabel\nawful\tno\n');
  stdout = '';
  stderr = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
  library.tasks = [];
  library.disposed = 0;
  library.trainer = wholeRun;
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true });
});

async function* wholeRun({ onCheckpoint }: TrainingOptions): AsyncGenerator<TrainingReport> {
  yield step(1, { totalSteps: 2 });
  yield step(2, { totalSteps: 2 });
  yield epoch(1);
  await onCheckpoint?.(new Uint8Array([9]));
  yield done({ steps: 2 });
}

function options(more: Partial<TrainOptions> = {}): TrainOptions {
  return {
    backbone: 'b',
    train: join(directory, 'train.tsv'),
    text: 'text',
    label: 'label',
    header: true,
    task: 'classification',
    adapter: 'houlsby',
    bottleneck: 8,
    layerNorm: 'all',
    epochs: 1,
    batchSize: 2,
    learningRate: 1e-3,
    warmup: 0.1,
    weightDecay: 0.01,
    clip: 1,
    biasCorrection: false,
    dropout: 'auto',
    maxLength: 128,
    tokenBudget: 'auto',
    recompute: false,
    prefixCache: 'auto',
    seed: 7,
    weights: 'f32',
    backend: 'auto',
    kernels: 'auto',
    out: join(directory, 'out'),
    resume: false,
    json: true,
    ...more,
  };
}
const inOut = (name: string) => join(directory, 'out', name);
const files = () => readdirSync(join(directory, 'out')).sort();
const finished = ['adapter.safetensors', 'adapter_config.json', 'report.html', 'training.jsonl'];

/** A trainer that is killed, or stopped, after its first step and checkpoint. */
async function* brokenRun({ onCheckpoint, signal }: TrainingOptions): AsyncGenerator<TrainingReport> {
  yield step(1, { totalSteps: 2 });
  await onCheckpoint?.(new Uint8Array([5]));
  process.emit('SIGINT');
  signal?.throwIfAborted();
}

describe('graft train', () => {
  it('hands the data and the options to the library', async () => {
    await train(options({ dev: join(directory, 'dev.tsv') }));
    expect(library.tasks).toEqual([
      {
        kind: 'classification',
        labels: ['no', 'yes'],
        adapter: expect.objectContaining({
          kind: 'houlsby',
          options: { bottleneck: 8, activation: 'gelu_tanh' },
        }),
        adapterLayers: undefined,
        layerNorm: 'all',
        dropout: 'auto',
        maxLength: 128,
        seed: 7,
      },
    ]);
    expect(library.examples.map(({ text }) => text)).toEqual(['good', 'bad', 'fine']);
    expect(library.options).toMatchObject({
      epochs: 1,
      batchSize: 2,
      learningRate: 1e-3,
      warmupRatio: 0.1,
      clipNorm: 1,
      seed: 7,
      dev: [{ text: 'awful', label: 'no' }],
      resume: undefined,
    });
    expect(library.disposed).toBe(1);
  });

  it('hands several labels and weights to the library', async () => {
    const path = join(directory, 'tags.tsv');
    writeFileSync(path, 'text\tlabel\ngood\tyes,fine\nbad\t\nfine\tfine\n');
    const tags = { task: 'multi-label', labelSeparator: ',', classWeights: 'yes:2', train: path } as const;
    await train(options(tags));
    expect(library.tasks).toMatchObject([{ kind: 'multi-label', labels: ['fine', 'yes'] }]);
    expect(library.examples.map(({ label }) => label)).toEqual([['yes', 'fine'], [], ['fine']]);
    expect(library.options).toMatchObject({ classWeights: { yes: 2 } });
    const report = readFileSync(inOut('report.html'), 'utf8');
    expect(report).toContain('multi-label, 2 labels');
    expect(report).toContain('yes 2');
  });

  it('prints one JSON object a line and leaves the finished files, no state', async () => {
    await train(options());
    const printed = stdout.trimEnd().split('\n');
    expect(printed.map((line) => JSON.parse(line).type)).toEqual(['step', 'step', 'epoch', 'done']);
    expect(readFileSync(inOut('training.jsonl'), 'utf8')).toBe(stdout);
    expect(files()).toEqual(finished);
    expect(readFileSync(inOut('report.html'), 'utf8')).toContain('Training loss');
    expect(stderr).toBe('');
  });

  it('prints a table for people otherwise', async () => {
    await train(options({ json: false }));
    expect(stdout).toBe('');
    expect(stderr).toMatch(/3 examples, 2 labels: no, yes\n/);
    expect(stderr).toMatch(/trained +646,274 parameters, 2\.85% of the backbone's/);
    expect(stderr).toMatch(/cut off +12 of 3 texts/);
  });

  it('says where the lower layers are kept, and once what went wrong with it', async () => {
    const prefixCache = { layers: 3, examples: 4, memoryBytes: 3 * 2 ** 20, diskBytes: 0, note: 'full' };
    library.trainer = async function* () {
      yield step(1, { totalSteps: 2 });
      yield epoch(1, { prefixCache });
      yield epoch(2, { prefixCache });
      yield done({ prefixCache });
    };
    await train(options({ json: false, adapterLayers: [3, 5], prefixCache: 'disk' }));
    expect(library.tasks).toMatchObject([{ adapterLayers: [3, 5] }]);
    expect(library.options).toMatchObject({ prefixCache: 'disk' });
    expect(stderr.match(/note: full\n/g)?.length).toBe(1);
    expect(stderr).toMatch(/prefix cache +layers 0-2 of 4 texts computed once, 3(\.0)? MiB in memory\n/);
    expect(readFileSync(inOut('report.html'), 'utf8')).toMatch(/In layers.*3,5/s);
  });

  it('saves its state at Ctrl-C, and goes on from it', async () => {
    library.trainer = brokenRun;
    await expect(train(options())).rejects.toThrow(Interrupted);
    expect(files()).toEqual(['checkpoint.graft', 'checkpoint.json', 'training.jsonl']);
    expect(library.disposed).toBe(1);
    await expect(train(options())).rejects.toThrow(/unfinished run/);
    await expect(train(options({ resume: true, seed: 8 }))).rejects.toThrow(/--seed: is 8, .* 7/);
    await expect(train(options({ resume: true, adapterLayers: [1, 2] }))).rejects.toThrow(
      /--adapter-layers: is 1-2, .* not given/,
    );

    library.trainer = async function* ({ resume }) {
      expect(Array.from(resume ?? [])).toEqual([5]);
      yield step(2, { totalSteps: 2, loss: 0.25 });
      yield done({ steps: 2 });
    };
    // Where the lower layers are kept changes no result.
    await train(options({ resume: true, prefixCache: 'off' }));
    expect(files()).toEqual(finished);
    expect(readTrainingLog(inOut('training.jsonl'))).toEqual([
      step(1, { totalSteps: 2 }),
      step(2, { totalSteps: 2, loss: 0.25 }),
      done({ steps: 2 }),
    ]);
  });

  it('says at Ctrl-C how to go on, or that nothing was saved', async () => {
    library.trainer = brokenRun;
    await expect(train(options())).rejects.toThrow(
      'stopped after step 1; the same command with --resume goes on',
    );
    library.trainer = (given) => brokenRun({ ...given, onCheckpoint: undefined });
    await expect(train(options({ out: join(directory, 'other') }))).rejects.toThrow(
      'before anything was saved',
    );
  });

  it('starts anew with --resume where there is nothing to resume', async () => {
    await train(options({ resume: true }));
    expect(library.options.resume).toBeUndefined();
    expect(files()).toEqual(finished);
  });

  it('replaces a finished adapter only when it has another', async () => {
    await train(options());
    const before = readFileSync(inOut('report.html'));
    library.trainer = async function* () {
      yield step(1);
      throw new FileWriteError('x', 'no space');
    };
    await expect(train(options({ epochs: 2 }))).rejects.toThrow(FileWriteError);
    expect(readFileSync(inOut('report.html')).equals(before)).toBe(true);
    expect(existsSync(inOut('adapter.safetensors'))).toBe(true);
  });

  it('throws away the state of a run that diverged', async () => {
    library.trainer = async function* ({ onCheckpoint }) {
      yield step(1);
      await onCheckpoint?.(new Uint8Array([5]));
      throw new DivergedError(2, 'the loss is NaN');
    };
    await expect(train(options())).rejects.toThrow(DivergedError);
    expect(files()).toEqual(['training.jsonl']);
  });

  it.each([
    [{ text: 'sentence' }, /no column "sentence"/],
    [{ classWeights: 'yes' }, /--class-weights: "yes" is no label with a number/],
    [{ limit: 1 }, /every example has the label "yes"/],
    [{ task: 'regression' as const }, /line 2: the score "yes"/],
    [{ train: 'missing.tsv' }, /missing\.tsv: there is no such file/],
  ])('writes nothing where the data is bad: %j', async (change, message) => {
    await expect(train(options(change))).rejects.toThrow(message);
    expect(existsSync(join(directory, 'out'))).toBe(false);
    expect(library.tasks).toEqual([]);
  });

  it('finds a dev label that training does not have', async () => {
    writeFileSync(join(directory, 'dev.tsv'), 'text\tlabel\nawful\tno\nso\tmaybe\n');
    await expect(train(options({ dev: join(directory, 'dev.tsv') }))).rejects.toThrow(
      /dev\.tsv, line 3: .*"maybe"/,
    );
  });
});
