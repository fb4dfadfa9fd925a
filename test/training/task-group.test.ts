/** Several tasks that predict together, on a two-layer BERT with random weights. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adapterMethod } from '../../src/adapters/methods';
import { OptionError } from '../../src/errors';
import { type Backbone, loadBackbone } from '../../src/training/backbone';
import { Random } from '../../src/training/random';
import { createRuntime, type Runtime } from '../../src/training/runtime';
import type { Task } from '../../src/training/task';
import type { GroupInput } from '../../src/training/task-group';
import type { TaskOptions } from '../../src/training/task-spec';
import type { Prediction } from '../../src/training/types';
import { goldenPath } from '../support/checkpoint';

const texts = ['see new', 'old end never', 'always make', 'love', 'watch the very end of it', 'ever'];

/** The numbers of a prediction. */
function numbersOf(prediction: Prediction | undefined): number[] {
  if (prediction === undefined) return [];
  if ('value' in prediction) return [prediction.value];
  return 'scores' in prediction ? Object.values(prediction.scores) : [];
}

function largestDifference(a: readonly Prediction[], b: readonly Prediction[]): number {
  expect(a.map((prediction) => Object.keys(prediction))).toEqual(
    b.map((prediction) => Object.keys(prediction)),
  );
  const other = b.flatMap(numbersOf);
  return Math.max(...a.flatMap(numbersOf).map((value, i) => Math.abs(value - (other[i] ?? Number.NaN))));
}

/** Far from where training starts, so that each task says something else. */
function scatter(task: Task, seed: number): void {
  task.setParameters((name, present) => {
    const random = new Random(seed, name);
    return present.map((value) => value + 0.2 * random.truncatedNormal(1));
  });
}

/** The CPU, WebGPU as this device has it, and the kernels of GPUs. */
const WAYS = {
  wasm: { backend: 'wasm' },
  webgpu: { backend: 'webgpu' },
  'webgpu, tiled kernels': { backend: 'webgpu', kernels: 'tiled' },
} as const;

describe.each(Object.entries(WAYS))('on %s', (way, options) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createRuntime(options);
  });
  afterAll(() => runtime.dispose());

  // On the CPU a narrow product sums as a grouped one does. A GPU may cut it into slices: of sums of 128 terms that are rounded in
  // another order, softmax keeps less than 1e-6.
  const bound = way === 'wasm' ? 0 : 2e-6;

  describe.each(['f32', 'f16', 'int8'] as const)('in %s', (weights) => {
    let backbone: Backbone;
    beforeAll(async () => {
      backbone = await loadBackbone(goldenPath('bert', 'checkpoint'), { runtime, weights });
    });
    afterAll(() => backbone.dispose());

    async function createTasks(
      options: readonly (Partial<TaskOptions> & Pick<TaskOptions, 'adapter'>)[],
    ): Promise<Task[]> {
      const tasks: Task[] = [];
      for (const [index, given] of options.entries()) {
        const labels = given.kind === 'regression' ? [] : ['a', 'b', 'c', 'd'].slice(0, 2 + index);
        const task = await backbone.createTask({
          name: `task ${index}`,
          labels,
          maxLength: 16 + index,
          ...given,
        });
        scatter(task, index);
        tasks.push(task);
      }
      return tasks;
    }

    /** Texts of all tasks, in turns and with one that has two in a row. */
    const mixOf = (tasks: readonly Task[]): GroupInput[] =>
      texts.flatMap((text, i) => {
        const task = tasks[i === 3 ? 2 : i % tasks.length];
        return task === undefined ? [] : [i === 4 ? { task, text, pair: 'see' } : { task, text }];
      });

    async function apart(inputs: readonly GroupInput[], dropLayers = 0): Promise<Prediction[]> {
      const predictions: Prediction[] = [];
      for (const { task, ...input } of inputs) {
        predictions.push(...(await task.predict([input], { dropLayers })));
      }
      return predictions;
    }

    it.each([
      ['houlsby', { bottleneck: 8 }, {}],
      ['houlsby', { bottleneck: 6 }, { adapterLayers: [1] }],
      ['pfeiffer', { bottleneck: 8 }, {}],
      ['pfeiffer', { bottleneck: 5 }, { layerNorm: 'all' }],
      ['parallel', { bottleneck: 8, scaling: 2 }, {}],
      ['lora', { rank: 4, targets: ['query', 'value', 'output'] }, {}],
      ['layer-norm', {}, {}],
      ['head', {}, {}],
    ] as const)('texts of three %s tasks (%j, %j) are predicted as apart', async (name, options, more) => {
      const adapter = adapterMethod(name, options);
      const tasks = await createTasks([
        { adapter, ...more },
        { adapter, ...more, kind: 'regression' },
        { adapter, ...more },
      ]);
      const group = backbone.groupTasks(tasks);
      const inputs = mixOf(tasks);
      const expected = await apart(inputs);
      expect(largestDifference(await group.predict(inputs), expected)).toBeLessThanOrEqual(bound);
      // With more tokens than a micro-batch holds.
      const split = await group.predict(inputs, { tokenBudget: 20 });
      expect(largestDifference(split, expected)).toBeLessThanOrEqual(bound);
      // Tasks that say the same would prove nothing.
      const [first, , third] = tasks;
      const byFirst = await first?.predict(texts);
      const byThird = await third?.predict(texts);
      expect(numbersOf(byFirst?.[0])[0]).not.toBeCloseTo(numbersOf(byThird?.[0])[0] ?? 0, 3);
      group.dispose();
      for (const task of tasks) task.dispose();
    });

    it('every task predicts every text as by itself, whatever the methods', async () => {
      const tasks = await createTasks([
        { adapter: adapterMethod('houlsby', { bottleneck: 8 }), maxLength: 16 },
        { adapter: adapterMethod('ia3'), maxLength: 16 },
        { adapter: adapterMethod('prefix', { prefixLength: 3 }), maxLength: 16 },
        { adapter: adapterMethod('head'), maxLength: 16, kind: 'regression' },
        // Cuts some of the texts.
        { adapter: adapterMethod('lora'), maxLength: 5 },
      ]);
      const group = backbone.groupTasks(tasks);
      for (const dropLayers of [0, 1, 2]) {
        const all = await group.predictAll(texts, { dropLayers });
        expect(all).toHaveLength(tasks.length);
        for (const [index, task] of tasks.entries()) {
          expect(all[index]).toEqual(await task.predict(texts, { dropLayers }));
        }
      }
      group.dispose();
      for (const task of tasks) task.dispose();
    });

    it('leaves out the adapters of the lowest layers, together as apart', async () => {
      const adapter = adapterMethod('houlsby', { bottleneck: 8 });
      const tasks = await createTasks([{ adapter }, { adapter }, { adapter }]);
      const group = backbone.groupTasks(tasks);
      const inputs = mixOf(tasks);
      const full = await apart(inputs);
      for (const dropLayers of [1, 2]) {
        const expected = await apart(inputs, dropLayers);
        expect(largestDifference(expected, full)).toBeGreaterThan(1e-3);
        expect(largestDifference(await group.predict(inputs, { dropLayers }), expected)).toBeLessThanOrEqual(
          bound,
        );
      }
      group.dispose();
      for (const task of tasks) task.dispose();
    });
  });

  describe('a group', () => {
    let backbone: Backbone;
    let tasks: Task[];
    beforeAll(async () => {
      backbone = await loadBackbone(goldenPath('bert', 'checkpoint'), { runtime });
      const create = (name: string, adapter: TaskOptions['adapter'], more: Partial<TaskOptions> = {}) =>
        backbone.createTask({ name, labels: ['a', 'b'], adapter, maxLength: 16, ...more });
      tasks = [
        await create('first', adapterMethod('pfeiffer', { bottleneck: 8 })),
        await create('second', adapterMethod('pfeiffer', { bottleneck: 8 })),
        await create('wide', adapterMethod('pfeiffer', { bottleneck: 12 })),
        await create('low', adapterMethod('lora', { rank: 2 })),
        await create('upper', adapterMethod('pfeiffer', { bottleneck: 8 }), { adapterLayers: [1] }),
        await create('normed', adapterMethod('pfeiffer', { bottleneck: 8 }), { layerNorm: 'all' }),
        await create('factors', adapterMethod('ia3'), { maxLength: 20 }),
        await create('biases', adapterMethod('bitfit')),
      ];
    });
    afterAll(() => {
      for (const task of tasks) task.dispose();
      backbone.dispose();
    });
    const named = (...names: string[]) => tasks.filter(({ name }) => names.includes(name));

    it('follows its tasks when they change', async () => {
      const pair = named('first', 'second');
      const [first, second] = pair;
      if (first === undefined || second === undefined) throw new Error('there is no pair');
      const group = backbone.groupTasks(pair);
      const inputs = [
        { task: first, text: 'see new' },
        { task: second, text: 'see new' },
      ];
      await group.predict(inputs);
      scatter(first, 5);
      expect(
        largestDifference(await group.predict(inputs), [
          ...(await first.predict(['see new'])),
          ...(await second.predict(['see new'])),
        ]),
      ).toBeLessThanOrEqual(bound);
      for await (const _ of second.train(
        [
          { text: 'old', label: 'a' },
          { text: 'new', label: 'b' },
        ],
        { epochs: 2, learningRate: 1e-2 },
      ));
      expect(
        largestDifference(await group.predict(inputs), [
          ...(await first.predict(['see new'])),
          ...(await second.predict(['see new'])),
        ]),
      ).toBeLessThanOrEqual(bound);
      group.dispose();
    });

    it.each([
      ['wide', /wide and first differ in options: \{"bottleneck":12.*\{"bottleneck":8/],
      ['low', /low and first differ in method: lora, pfeiffer/],
      ['upper', /upper and first differ in adapted layers: 1, 0, 1/],
      ['normed', /normed and first differ in LayerNorms: all, none/],
      ['factors', /factors is trained by ia3/],
    ])('of first and %s cannot share a batch, and says why', async (name, message) => {
      const group = backbone.groupTasks(named('first', name));
      const inputs = group.tasks.map((task) => ({ task, text: 'see' }));
      const failing = group.predict(inputs);
      await expect(failing).rejects.toThrow(OptionError);
      await expect(failing).rejects.toThrow(message);
      group.dispose();
    });

    it('refuses what is none', async () => {
      const [first, second] = named('first', 'second');
      if (first === undefined || second === undefined) throw new Error('there is no pair');
      expect(() => backbone.groupTasks([])).toThrow(OptionError);
      expect(() => backbone.groupTasks([first, first])).toThrow(/one is there twice/);
      const other = await loadBackbone(goldenPath('bert', 'checkpoint'), { runtime });
      expect(() => other.groupTasks([first])).toThrow(/first is on another backbone/);
      other.dispose();
      const group = backbone.groupTasks([first]);
      await expect(group.predict([{ task: second, text: 'see' }])).rejects.toThrow(
        /that of input 1, second, is not in the group/,
      );
      group.dispose();
    });

    it('and a task refuse to drop what is not there', async () => {
      const [first] = named('first');
      const [biases] = named('biases');
      for (const dropLayers of [-1, 0.5, 3]) {
        await expect(first?.predict(['see'], { dropLayers })).rejects.toThrow(OptionError);
      }
      await expect(biases?.evaluate([{ text: 'see', label: 'a' }], { dropLayers: 1 })).rejects.toThrow(
        /the method bitfit has no adapters to leave out/,
      );
    });

    it('gives its memory back', async () => {
      const before = runtime.compute.memory.held;
      const group = backbone.groupTasks(named('first', 'second'));
      const inputs = group.tasks.map((task) => ({ task, text: 'see' }));
      await group.predict(inputs, { dropLayers: 1 });
      await group.predictAll(['see'], { dropLayers: 1 });
      expect(runtime.compute.memory.held).toBeGreaterThan(before);
      group.dispose();
      await Promise.resolve();
      expect(runtime.compute.memory.held).toBe(before);
    });
  });
});
