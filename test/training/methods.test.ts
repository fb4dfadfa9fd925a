/** What every method must do as a task, on a two-layer BERT with random weights. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adapterMethod, METHOD_NAMES, type MethodName } from '../../src/adapters/methods';
import { AdapterMismatchError, FileFormatError, OptionError } from '../../src/errors';
import { type Backbone, loadBackbone } from '../../src/training/backbone';
import { createRuntime, type Runtime } from '../../src/training/runtime';
import type { Task } from '../../src/training/task';
import type { TaskOptions } from '../../src/training/task-spec';
import type { DoneReport, Example, StepReport, TrainingOptions } from '../../src/training/types';
import { goldenPath } from '../support/checkpoint';

const words = ['love', 'watch', 'end', 'make', 'see', 'never', 'always', 'ever'];
const examples: Example[] = words.flatMap((word, i) => [
  { text: `${word} new ${'very '.repeat(i % 3)}`, label: 'fresh' },
  { text: `old ${word}`, label: 'stale' },
]);
const texts = ['see new', 'old end', 'never'];

/** Small ones of each method; a learning rate at which it learns from 16 texts in 6 epochs. */
const METHODS: Readonly<
  Record<MethodName, readonly [options: Record<string, unknown>, learningRate: number]>
> = {
  houlsby: [{ bottleneck: 8 }, 5e-3],
  pfeiffer: [{ bottleneck: 8 }, 5e-3],
  parallel: [{ bottleneck: 8 }, 5e-3],
  lora: [{ rank: 4, targets: ['query', 'value', 'output'], loraDropout: 0.1 }, 5e-3],
  ia3: [{}, 2e-2],
  bitfit: [{}, 5e-3],
  'layer-norm': [{}, 5e-3],
  full: [{}, 1e-3],
  'top-k': [{ topK: 1 }, 1e-3],
  head: [{}, 2e-2],
};

/** Methods that hold nothing trainable in the lower layer, whatever the task says. */
const UPPER: readonly MethodName[] = ['top-k', 'head'];

let runtime: Runtime;
let backbone: Backbone;

describe.each(['webgpu', 'wasm'] as const)('on %s', (backend) => {
  beforeAll(async () => {
    runtime = await createRuntime({ backend });
    backbone = await loadBackbone(goldenPath('bert', 'checkpoint'), { runtime });
  });
  afterAll(() => {
    backbone.dispose();
    runtime.dispose();
  });

  describe.each(METHOD_NAMES)('%s', (name) => {
    const [options, learningRate] = METHODS[name];
    const recipe: TrainingOptions = { batchSize: 4, learningRate, epochs: 6, checkpointEvery: 1 };
    const createTask = (more: Partial<TaskOptions> = {}): Promise<Task> =>
      backbone.createTask({
        labels: ['fresh', 'stale'],
        adapter: adapterMethod(name, options),
        dropout: 0.1,
        maxLength: 32,
        ...more,
      });

    async function train(task: Task, trainingOptions: TrainingOptions) {
      const steps: StepReport[] = [];
      let done: DoneReport | undefined;
      for await (const report of task.train(examples, trainingOptions)) {
        if (report.type === 'step') steps.push(report);
        if (report.type === 'done') done = report;
      }
      if (done === undefined) throw new Error('the run did not end');
      return { steps, done, files: await task.save() };
    }
    const results = ({ steps, files }: Awaited<ReturnType<typeof train>>) => ({
      losses: steps.map(({ loss, gradientNorm }) => [loss, gradientNorm]),
      files,
    });

    it('learns, saves, loads, predicts the same, and resumes to the same bytes, recomputing', async () => {
      const before = runtime.compute.memory.held;
      const [task, resumed] = [await createTask(), await createTask()];
      const states: Uint8Array[] = [];
      const onCheckpoint = async (state: Uint8Array) => {
        states.push(state);
      };
      const run = await train(task, { ...recipe, onCheckpoint });
      const losses = run.steps.map(({ loss }) => loss);
      const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
      expect(mean(losses.slice(-4))).toBeLessThan(0.9 * mean(losses.slice(0, 4)));
      expect(run.done.trainableParameters).toBe(task.trainableParameters);

      const copy = await backbone.loadTask(run.files);
      expect(copy.labels).toEqual(task.labels);
      expect(copy.adapterLayers).toEqual(task.adapterLayers);
      const predictions = await task.predict(texts);
      expect(await copy.predict(texts)).toEqual(predictions);
      expect(await copy.save()).toEqual(run.files);

      const rest = await train(resumed, { ...recipe, resume: states[6], recompute: true });
      expect(rest.steps[0]).toMatchObject({ step: 7 });
      expect(rest.files).toEqual(run.files);
      for (const item of [task, copy, resumed]) item.dispose();
      expect(runtime.compute.memory.held).toBe(before);
    });

    const adapter = adapterMethod(name, options);
    it.runIf(adapter.canChooseLayers || UPPER.includes(name))(
      'with the lower layer kept, gives the same bytes',
      async () => {
        const upper = adapter.canChooseLayers ? { adapterLayers: [1] } : {};
        const runs = [];
        for (const prefixCache of ['auto', 'off', 'disk'] as const) {
          const task = await createTask(upper);
          expect(task.adapterLayers).toEqual(name === 'head' ? [] : [1]);
          runs.push(await train(task, { ...recipe, epochs: 2, prefixCache }));
          task.dispose();
        }
        const [kept, off, disk] = runs;
        if (kept === undefined || off === undefined || disk === undefined) throw new Error('no runs');
        expect(kept.done.prefixCache).toMatchObject({ layers: 1, examples: 16 });
        expect(off.done.prefixCache).toBeUndefined();
        expect(results(kept)).toEqual(results(off));
        expect(results(disk)).toEqual(results(off));
      },
    );
  });

  describe('a task', () => {
    const task = (name: MethodName, more: Partial<TaskOptions>) =>
      backbone.createTask({ labels: ['a', 'b'], adapter: adapterMethod(name), maxLength: 32, ...more });

    it('refuses layers and LayerNorms that are the method’s to choose', async () => {
      for (const name of ['full', 'top-k', 'head'] as const) {
        await expect(task(name, { adapterLayers: [1] })).rejects.toThrow(/chooses its layers/);
      }
      for (const name of ['bitfit', 'layer-norm', 'full', 'top-k'] as const) {
        await expect(task(name, { layerNorm: 'none' })).rejects.toThrow(/decides which are trained/);
      }
      await expect(task('head', { layerNorm: 'all' })).rejects.toThrow(OptionError);
    });

    it('trains as many parameters as the method’s paper says', async () => {
      const [hidden, intermediate, layers, head] = [64, 256, 2, 2 * 64 + 2];
      const layerNorms = (2 * layers + 1) * 2 * hidden;
      const counts: [MethodName, Record<string, unknown>, number][] = [
        ['houlsby', { bottleneck: 8 }, layers * 2 * (2 * 8 * hidden + 8 + hidden) + layerNorms],
        ['pfeiffer', { bottleneck: 8 }, layers * (2 * 8 * hidden + 8 + hidden)],
        ['parallel', { bottleneck: 8 }, layers * (2 * 8 * hidden + 8 + hidden)],
        ['lora', { rank: 8 }, layers * 2 * 2 * 8 * hidden],
        ['ia3', {}, layers * (2 * hidden + intermediate)],
        ['bitfit', {}, layers * (5 * hidden + intermediate) + layerNorms / 2 + hidden],
        ['layer-norm', {}, layerNorms],
        ['full', {}, backbone.parameterCount],
        ['head', {}, 0],
      ];
      for (const [name, options, count] of counts) {
        const made = await task(name, { adapter: adapterMethod(name, options) });
        expect(made.trainableParameters, name).toBe(count + head);
        made.dispose();
      }
    });

    it('is refused where its files are of another method or backbone', async () => {
      const made = await task('lora', {});
      const files = await made.save();
      made.dispose();
      const edit = (change: (text: string) => string) => ({
        ...files,
        'adapter_config.json': new TextEncoder().encode(
          change(new TextDecoder().decode(files['adapter_config.json'])),
        ),
      });
      const load = (change: (text: string) => string) => backbone.loadTask(edit(change));
      await expect(load((text) => text.replace('"rank": 8', '"rank": 4'))).rejects.toThrow(
        AdapterMismatchError,
      );
      await expect(load((text) => text.replace('"lora"', '"ia3"'))).rejects.toThrow(FileFormatError);
      await expect(load((text) => text.replace('"lora"', '"lore"'))).rejects.toThrow(
        /there is no method "lore"/,
      );
      await expect(load((text) => text.replace('"hidden_size": 64', '"hidden_size": 65'))).rejects.toThrow(
        AdapterMismatchError,
      );
      await expect(load((text) => text.replace('"rank": 8', '"rank": 0'))).rejects.toThrow(FileFormatError);
      expect((await load((text) => text)).labels).toEqual(['a', 'b']);
    });
  });
});

describe('a method by its name', () => {
  it('refuses names, options and values that it does not know', () => {
    expect(() => adapterMethod('adapters')).toThrow(/there is no method "adapters". Choose houlsby/);
    expect(() => adapterMethod('constructor')).toThrow(OptionError);
    expect(() => adapterMethod('ia3', { rank: 8 })).toThrow(
      /rank: the method ia3 has no such option. It has none/,
    );
    for (const [name, options] of [
      ['houlsby', { bottleneck: 0 }],
      ['houlsby', { bottleneck: '8' }],
      ['pfeiffer', { activation: 'tanh' }],
      ['pfeiffer', { bottleneck: 4097 }],
      ['parallel', { scaling: 0 }],
      ['parallel', { scaling: Number.POSITIVE_INFINITY }],
      ['lora', { rank: 2.5 }],
      ['lora', { alpha: 0 }],
      ['lora', { loraDropout: 1 }],
      ['lora', { targets: [] }],
      ['lora', { targets: ['query', 'pooler'] }],
      ['lora', { targets: 'query' }],
      ['top-k', { topK: 0 }],
    ] as const) {
      expect(() => adapterMethod(name, options), JSON.stringify(options)).toThrow(OptionError);
    }
  });

  it('keeps its options in the order of the encoder, with defaults', () => {
    expect(adapterMethod('lora', { targets: ['output', 'key'] }).options).toEqual({
      rank: 8,
      alpha: 8,
      loraDropout: 0,
      targets: ['key', 'output'],
    });
  });
});
