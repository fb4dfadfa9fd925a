/** Tasks through the public classes, on a two-layer BERT with random weights. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { houlsby } from '../../src/adapters/houlsby';
import { AdapterMismatchError, DataError, OptionError } from '../../src/errors';
import { type Backbone, loadBackbone } from '../../src/training/backbone';
import { createRuntime, type Runtime } from '../../src/training/runtime';
import type { Task } from '../../src/training/task';
import type {
  DoneReport,
  EpochReport,
  Example,
  TrainingOptions,
  TrainingReport,
} from '../../src/training/types';
import { goldenPath } from '../support/checkpoint';

const words = ['love', 'watch', 'end', 'make', 'see', 'never', 'always', 'ever'];
const topics: Example[] = words.flatMap((word) => [
  { text: `${word} new`, label: 'fresh' },
  { text: `old ${word}`, label: 'stale' },
]);
/** Which of the two texts is longer, as a number. */
const pairs: Example[] = words.flatMap((word, i) => [
  { text: word, pair: `${word} ${'very '.repeat(1 + (i % 3))}`, label: -1 },
  { text: `${word} ${'very '.repeat(1 + (i % 3))}`, pair: word, label: 1 },
]);
const recipe: TrainingOptions = { batchSize: 8, learningRate: 5e-3, epochs: 15 };

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

  function createTask(
    more: { kind?: 'regression'; maxLength?: number; layerNorm?: 'none'; dropout?: number } = {},
  ): Promise<Task> {
    const labels = more.kind === 'regression' ? [] : ['fresh', 'stale'];
    return backbone.createTask({
      labels,
      adapter: houlsby({ bottleneck: 8 }),
      dropout: 0,
      maxLength: 32,
      ...more,
    });
  }

  async function train(task: Task, examples: readonly Example[], options: TrainingOptions) {
    const reports: TrainingReport[] = [];
    for await (const report of task.train(examples, options)) reports.push(report);
    const epochs = reports.filter((report): report is EpochReport => report.type === 'epoch');
    const done = reports.find((report): report is DoneReport => report.type === 'done');
    if (done === undefined) throw new Error('the run did not end');
    return { reports, epochs, done };
  }

  describe('a task', () => {
    it('saved and loaded again, predicts the same, and its memory is given back', async () => {
      const before = runtime.compute.memory.held;
      const task = await createTask();
      const { done } = await train(task, topics, { ...recipe, dev: topics });
      expect(done.dev).toMatchObject({ accuracy: 1, examples: 16 });
      const texts = ['see new', 'old end', 'never'];
      const predictions = await task.predict(texts);
      const copy = await backbone.loadTask(await task.save());
      expect(copy.labels).toEqual(task.labels);
      expect(await copy.predict(texts)).toEqual(predictions);
      task.dispose();
      copy.dispose();
      expect(runtime.compute.memory.held).toBe(before);
    });

    it('asked again before it has answered, answers the same, and holds no more memory', async () => {
      const task = await createTask();
      const texts = topics.map(({ text }) => text);
      const ask = [
        () => task.predict(texts),
        () => task.predict(texts.slice(3), { tokenBudget: 40 }),
        () => task.predict(texts.slice(5)),
        () => task.predict(texts, { dropLayers: 1 }),
        () => task.predict(texts, { dropLayers: 2 }),
      ];
      const alone = [];
      for (const one of ask) alone.push(await one());
      const held = runtime.compute.memory.held;
      expect(await Promise.all(ask.map((one) => one()))).toEqual(alone);
      // Of the schedules without some layers it keeps the last.
      await task.predict(texts, { dropLayers: 2 });
      expect(runtime.compute.memory.held).toBe(held);
      task.dispose();
    });

    it('learns a number from pairs', async () => {
      const task = await createTask({ kind: 'regression' });
      const { done } = await train(task, pairs, { ...recipe, epochs: 30, dev: pairs });
      const dev = done.dev;
      if (dev === undefined || !('pearson' in dev)) throw new Error('no metrics of a regression');
      expect(dev.pearson).toBeGreaterThan(0.95);
      expect(dev.spearman).toBeGreaterThan(0.8);
      expect(dev.loss).toBeCloseTo(dev.meanSquaredError, 10);
      expect(task.takesPairs).toBe(true);
      const copy = await backbone.loadTask(await task.save());
      expect(copy.takesPairs).toBe(true);
      expect(copy.kind).toBe('regression');
      const [first] = await copy.predict([{ text: 'love', pair: 'love very very' }]);
      expect(first).toHaveProperty('value');
      task.dispose();
      copy.dispose();
    });

    it('without LayerNorms trains fewer parameters, and still learns', async () => {
      const [all, none] = [await createTask(), await createTask({ layerNorm: 'none' })];
      expect(all.trainableParameters - none.trainableParameters).toBe(5 * 2 * 64);
      const { epochs } = await train(none, topics, recipe);
      expect(epochs.at(-1)?.trainLoss).toBeLessThan(0.3 * (epochs[0]?.trainLoss ?? 0));
      all.dispose();
      none.dispose();
    });

    it('counts the texts that were cut', async () => {
      const task = await createTask({ maxLength: 4 });
      const { done } = await train(task, topics.slice(0, 4), { epochs: 1 });
      // [CLS], two words, [SEP] fit.
      expect(done.truncatedExamples).toBe(0);
      const long = [...topics.slice(0, 4), { text: 'love watch end', label: 'fresh' }];
      expect((await train(task, long, { epochs: 1 })).done.truncatedExamples).toBe(1);
      task.dispose();
    });

    it('keeps the best epoch and stops early', async () => {
      const task = await createTask();
      const options = { ...recipe, epochs: 40, patience: 2, dev: topics };
      const { epochs, done } = await train(task, topics, options);
      expect(epochs.length).toBe(done.bestEpoch + 2);
      expect(epochs.length).toBeLessThan(40);
      expect(await task.evaluate(topics)).toEqual(done.dev);
      task.dispose();
    });

    it('aborted and resumed, ends where it would have', async () => {
      const whole = await createTask();
      await train(whole, topics, recipe);
      const begun = await createTask();
      const controller = new AbortController();
      let state: Uint8Array | undefined;
      const onCheckpoint = async (bytes: Uint8Array) => {
        state = bytes;
      };
      const run = begun.train(topics, { ...recipe, signal: controller.signal, onCheckpoint });
      await expect(
        (async () => {
          for await (const report of run) if (report.type === 'step' && report.step === 7) controller.abort();
        })(),
      ).rejects.toThrow('abort');
      const resumed = await createTask();
      // What was learned so far is in the state; the task itself is what it was.
      const texts = topics.map(({ text }) => text);
      expect(await begun.predict(texts)).toEqual(await resumed.predict(texts));
      const { reports } = await train(resumed, topics, { ...recipe, resume: state });
      expect(reports[0]).toMatchObject({ type: 'step', step: 8 });
      expect(await resumed.save()).toEqual(await whole.save());
      await expect(train(resumed, topics, { ...recipe, epochs: 3, resume: state })).rejects.toThrow(
        OptionError,
      );
      for (const task of [whole, begun, resumed]) task.dispose();
    });

    it('aborted in an evaluation, does not lose the steps before it', async () => {
      const whole = await createTask();
      const options = { ...recipe, epochs: 2, dev: topics };
      const { epochs } = await train(whole, topics, options);
      const begun = await createTask();
      const controller = new AbortController();
      let state: Uint8Array | undefined;
      const onCheckpoint = async (bytes: Uint8Array) => {
        state = bytes;
      };
      const run = begun.train(topics, { ...options, signal: controller.signal, onCheckpoint });
      const last = epochs[0]?.step;
      await expect(
        (async () => {
          for await (const report of run)
            if (report.type === 'step' && report.step === last) controller.abort();
        })(),
      ).rejects.toThrow('abort');
      const resumed = await createTask();
      const { reports } = await train(resumed, topics, { ...options, resume: state });
      expect(reports[0]).toEqual(epochs[0]);
      expect(await resumed.save()).toEqual(await whole.save());
      for (const task of [whole, begun, resumed]) task.dispose();
    });

    it('a run may go on with recomputation, in less memory and to the same bytes', async () => {
      const options = { ...recipe, epochs: 4, checkpointEvery: 1 };
      const [saving, recomputing] = [await createTask({ dropout: 0.1 }), await createTask({ dropout: 0.1 })];
      const states: Uint8Array[] = [];
      const onCheckpoint = async (state: Uint8Array) => {
        states.push(state);
      };
      const whole = await train(saving, topics, { ...options, onCheckpoint });
      const resumed = { ...options, recompute: true, resume: states[0] };
      const { reports, done } = await train(recomputing, topics, resumed);
      expect(reports[0]).toMatchObject({ type: 'step', step: 2 });
      expect(await recomputing.save()).toEqual(await saving.save());
      expect(done.activationBytes).toBeLessThan(whole.done.activationBytes);
      saving.dispose();
      recomputing.dispose();
    });

    it('a batch split by a small token budget learns the same, with the same masks', async () => {
      const [one, many] = [await createTask({ dropout: 0.3 }), await createTask({ dropout: 0.3 })];
      const whole = await train(one, topics, { ...recipe, epochs: 2, tokenBudget: 256 });
      const split = await train(many, topics, { ...recipe, epochs: 2, tokenBudget: 32 });
      const losses = ({ epochs }: typeof whole) => epochs.map(({ trainLoss }) => trainLoss);
      losses(split).forEach((loss, i) => {
        expect(loss).toBeCloseTo(losses(whole)[i] ?? Number.NaN, 5);
      });
      one.dispose();
      many.dispose();
    });

    it('refuses an adapter that was made for another width', async () => {
      const task = await createTask();
      const files = await task.save();
      task.dispose();
      const config = new TextDecoder()
        .decode(files['adapter_config.json'])
        .replace('"hidden_size": 64', '"hidden_size": 128');
      const changed = { ...files, 'adapter_config.json': new TextEncoder().encode(config) };
      const loading = backbone.loadTask(changed);
      await expect(loading).rejects.toThrow(AdapterMismatchError);
      await expect(loading).rejects.toThrow(/128.*64/s);
    });

    it('refuses labels it does not know, missing examples and a budget below the longest text', async () => {
      const task = await createTask();
      await expect(train(task, [{ text: 'a', label: 'new' }], {})).rejects.toThrow(
        new DataError(
          undefined,
          undefined,
          'example 1: its label "new" is not one of the task\'s labels ("fresh", "stale")',
        ),
      );
      await expect(train(task, [], {})).rejects.toThrow(DataError);
      await expect(train(task, topics, { tokenBudget: 31 })).rejects.toThrow(OptionError);
      await expect(train(task, topics, { patience: 2 })).rejects.toThrow('patience');
      expect(() => houlsby({ bottleneck: 0 })).toThrow(OptionError);
      await expect(backbone.createTask({ labels: ['a'], adapter: houlsby() })).rejects.toThrow('labels');
      await expect(
        backbone.createTask({ labels: ['a', 'b'], adapter: houlsby(), maxLength: 129 }),
      ).rejects.toThrow('maxLength');
      task.dispose();
    });
  });
});
