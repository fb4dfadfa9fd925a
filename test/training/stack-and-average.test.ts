/** Stacks and means as tasks: made, trained, saved and loaded, on a two-layer BERT with random weights. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { houlsby } from '../../src/adapters/houlsby';
import { lora } from '../../src/adapters/lora';
import { pfeiffer } from '../../src/adapters/pfeiffer';
import { AdapterMismatchError, OptionError } from '../../src/errors';
import { type Backbone, loadBackbone } from '../../src/training/backbone';
import { Random } from '../../src/training/random';
import { createRuntime, type Runtime } from '../../src/training/runtime';
import type { CreateTaskOptions, Task } from '../../src/training/task';
import type { Example } from '../../src/training/types';
import { goldenPath } from '../support/checkpoint';

const texts = ['see new', 'old end never', 'watch'];
const examples: Example[] = ['love', 'watch', 'end', 'make'].flatMap((word) => [
  { text: `${word} new`, label: 'a' },
  { text: `old ${word}`, label: 'b' },
]);

let runtime: Runtime;
let backbone: Backbone;
beforeAll(async () => {
  runtime = await createRuntime({ backend: 'wasm', threads: 1 });
  backbone = await loadBackbone(goldenPath('bert', 'checkpoint'), { runtime });
});
afterAll(() => {
  backbone.dispose();
  runtime.dispose();
});

/** Far from where training starts, so that each adapter says something else. */
function scatter(task: Task, seed: number): Task {
  task.setParameters((name, present) => {
    const random = new Random(seed, name);
    return present.map((value) => value + 0.2 * random.truncatedNormal(1));
  });
  return task;
}

const createTask = (options: Partial<CreateTaskOptions> = {}): Promise<Task> =>
  backbone.createTask({
    labels: ['a', 'b'],
    adapter: pfeiffer({ bottleneck: 8 }),
    maxLength: 32,
    ...options,
  });

function parametersOf(task: Task): Map<string, Float32Array> {
  const found = new Map<string, Float32Array>();
  task.setParameters((name, present) => {
    found.set(name, present.slice());
    return present.slice();
  });
  return found;
}

async function train(task: Task, options = {}): Promise<number[]> {
  const losses: number[] = [];
  const recipe = { epochs: 3, batchSize: 4, learningRate: 5e-3, ...options };
  for await (const report of task.train(examples, recipe)) {
    if (report.type === 'step') losses.push(report.loss);
  }
  return losses;
}

describe('a task on another', () => {
  it('leaves the lower one as it is, and does not follow it', async () => {
    const lower = scatter(await createTask({ name: 'lower' }), 1);
    const before = await lower.predict(texts);
    const upper = await createTask({ name: 'upper', on: lower });
    const losses = await train(upper);
    expect(losses.at(-1)).toBeLessThan(losses[0] ?? 0);
    expect(await lower.predict(texts)).toEqual(before);
    const said = await upper.predict(texts);
    await train(lower);
    expect(await lower.predict(texts)).not.toEqual(before);
    expect(await upper.predict(texts)).toEqual(said);
    lower.dispose();
    expect(await upper.predict(texts)).toEqual(said);
    upper.dispose();
  });

  it('is another than alone, and begins with the LayerNorms of the lower one', async () => {
    const lower = scatter(await createTask({ adapter: houlsby({ bottleneck: 8 }) }), 1);
    const adapter = houlsby({ bottleneck: 4 });
    const [alone, upper] = [await createTask({ adapter }), await createTask({ adapter, on: lower })];
    expect(await upper.predict(texts)).not.toEqual(await alone.predict(texts));
    const below = parametersOf(lower);
    const norms = [...parametersOf(upper)].filter(([name]) => name.includes('layer_norm'));
    expect(norms.length).toBe(10);
    for (const [name, values] of norms) expect(values).toEqual(below.get(name));
    for (const task of [lower, alone, upper]) task.dispose();
  });

  it('is saved by itself, and loaded onto the same lower one', async () => {
    const lower = scatter(await createTask({ name: 'lower' }), 1);
    const middle = scatter(
      await createTask({ name: 'middle', adapter: houlsby({ bottleneck: 4 }), on: lower }),
      2,
    );
    const upper = scatter(await createTask({ name: 'upper', on: middle }), 3);
    const files = { lower: await lower.save(), middle: await middle.save(), upper: await upper.save() };
    const lowerAgain = await backbone.loadTask(files.lower);
    const middleAgain = await backbone.loadTask(files.middle, { on: lowerAgain });
    const upperAgain = await backbone.loadTask(files.upper, { on: middleAgain });
    expect(await upperAgain.predict(texts)).toEqual(await upper.predict(texts));
    expect(await upperAgain.save()).toEqual(files.upper);

    const missing = backbone.loadTask(files.upper);
    await expect(missing).rejects.toThrow(AdapterMismatchError);
    await expect(missing).rejects.toThrow(/upper stands on the adapter "middle"\. Load that one first/);
    const onLower = backbone.loadTask(files.upper, { on: lowerAgain });
    await expect(onLower).rejects.toThrow(AdapterMismatchError);
    await expect(onLower).rejects.toThrow(/"middle" as it was then, not on lower as it is now/);
    // The one that the middle one stands on has changed.
    const changed = scatter(await createTask({ name: 'lower' }), 4);
    await expect(backbone.loadTask(files.middle, { on: changed })).rejects.toThrow(AdapterMismatchError);
    await expect(backbone.loadTask(files.lower, { on: lowerAgain })).rejects.toThrow(
      /lower stands on no other adapter/,
    );
    for (const task of [lower, middle, upper, lowerAgain, middleAgain, upperAgain, changed]) task.dispose();
  });

  it('resumes on the same lower one alone', async () => {
    const lower = scatter(await createTask(), 1);
    const states: Uint8Array[] = [];
    const straight = await createTask({ on: lower });
    await train(straight, {
      checkpointEvery: 2,
      onCheckpoint: async (state: Uint8Array) => {
        states.push(state.slice());
      },
    });
    const [resume] = states;
    const resumed = await createTask({ on: lower });
    await train(resumed, { resume });
    expect(await resumed.save()).toEqual(await straight.save());
    const other = await createTask({ on: scatter(await createTask(), 2) });
    await expect(train(other, { resume })).rejects.toThrow(/on/);
    await expect(train(await createTask(), { resume })).rejects.toThrow(/on/);
  });

  it('keeps what lies below its own adapters, the lower one included, from one epoch to the next', async () => {
    const lower = scatter(await createTask(), 1);
    const [kept, computed] = [
      await createTask({ on: lower, adapterLayers: [1] }),
      await createTask({ on: lower, adapterLayers: [1] }),
    ];
    expect(await train(kept)).toEqual(await train(computed, { prefixCache: 'off' }));
    expect(await kept.save()).toEqual(await computed.save());
    kept.dispose();
    computed.dispose();
    lower.dispose();
  });

  it('shares layers with others only where neither has an adapter', async () => {
    const lower = scatter(await createTask(), 1);
    const tasks = [
      scatter(await createTask({ name: 'upper', on: lower, adapterLayers: [1] }), 2),
      scatter(await createTask({ name: 'alone', adapterLayers: [1] }), 3),
    ];
    const group = backbone.groupTasks(tasks);
    for (const dropLayers of [0, 1, 2]) {
      const all = await group.predictAll(texts, { dropLayers });
      for (const [index, task] of tasks.entries()) {
        expect(all[index]).toEqual(await task.predict(texts, { dropLayers }));
      }
    }
    const [upper, alone] = tasks;
    if (upper === undefined || alone === undefined) throw new Error('there are two');
    await expect(group.predict([{ task: upper, text: 'see' }])).rejects.toThrow(
      /upper stands on another adapter/,
    );
    group.dispose();
    for (const task of [...tasks, lower]) task.dispose();
  });

  it('gives its memory back, also where it cannot be made', async () => {
    const before = runtime.compute.memory.held;
    const lower = await createTask();
    const files = await (await createTask({ on: lower })).save();
    const held = runtime.compute.memory.held;
    await expect(backbone.loadTask(files)).rejects.toThrow(AdapterMismatchError);
    expect(runtime.compute.memory.held).toBe(held);
    lower.dispose();
    expect(runtime.compute.memory.held).toBeGreaterThan(before);
  });

  it('must be of a method that makes a stack, as must the lower one, on one backbone', async () => {
    const [bottleneck, update] = [await createTask(), await createTask({ name: 'update', adapter: lora() })];
    await expect(createTask({ adapter: lora(), on: bottleneck })).rejects.toThrow(OptionError);
    await expect(createTask({ on: update })).rejects.toThrow(
      /update is trained by lora, which makes no stack\. Above and below may be houlsby and pfeiffer/,
    );
    const other = await loadBackbone(goldenPath('bert', 'checkpoint'), { runtime });
    await expect(
      other.createTask({ labels: ['a', 'b'], adapter: pfeiffer(), on: bottleneck }),
    ).rejects.toThrow(/is on another backbone/);
    other.dispose();
    bottleneck.dispose();
    update.dispose();
  });
});

describe('a mean', () => {
  it('is weighted, of adapters, LayerNorms and heads', async () => {
    const adapter = houlsby({ bottleneck: 4 });
    const tasks = [scatter(await createTask({ adapter }), 1), scatter(await createTask({ adapter }), 2)];
    const mean = await backbone.averageTasks(tasks, { name: 'mean', weights: [1, 3] });
    expect(mean.name).toBe('mean');
    expect(mean.labels).toEqual(['a', 'b']);
    const [first, second] = tasks.map(parametersOf);
    for (const [name, values] of parametersOf(mean)) {
      const [a, b] = [first?.get(name), second?.get(name)];
      expect(values).toEqual(values.map((_, i) => Math.fround(0.25 * (a?.[i] ?? 0) + 0.75 * (b?.[i] ?? 0))));
    }
    // As any other task.
    const again = await backbone.loadTask(await mean.save());
    expect(await again.predict(texts)).toEqual(await mean.predict(texts));
    await train(mean, { epochs: 1 });
    for (const task of [...tasks, mean, again]) task.dispose();
  });

  it('keeps one head where labels differ', async () => {
    const other = scatter(await createTask({ name: 'other', labels: ['x', 'y', 'z'] }), 1);
    const first = scatter(await createTask({ name: 'first' }), 2);
    await expect(backbone.averageTasks([first, other])).rejects.toThrow(
      /other and first have other labels.*Give the task whose head is to be kept/,
    );
    const mean = await backbone.averageTasks([first, other], { head: other });
    expect(mean.labels).toEqual(['x', 'y', 'z']);
    expect(parametersOf(mean).get('classifier.weight')).toEqual(parametersOf(other).get('classifier.weight'));
    for (const task of [first, other, mean]) task.dispose();
  });

  it('is refused where there is none', async () => {
    const first = await createTask({ name: 'first' });
    const wide = await createTask({ name: 'wide', adapter: pfeiffer({ bottleneck: 12 }) });
    const stacked = await createTask({ name: 'stacked', on: first });
    const second = await createTask({ name: 'second' });
    const average = (tasks: readonly Task[], options = {}) => backbone.averageTasks(tasks, options);
    await expect(average([])).rejects.toThrow(OptionError);
    await expect(average([first, wide])).rejects.toThrow(/wide and first differ in options/);
    await expect(average([first, stacked])).rejects.toThrow(
      /differ in what they stand on: [0-9a-f]{8}, nothing/,
    );
    await expect(average([stacked])).rejects.toThrow(/stacked stands on another adapter/);
    await expect(average([first, second], { weights: [1] })).rejects.toThrow(/there are 1 for 2 tasks/);
    for (const weights of [
      [0, 0],
      [1, -1],
      [Number.NaN, 1],
      [Number.POSITIVE_INFINITY, 1],
    ]) {
      await expect(average([first, second], { weights })).rejects.toThrow(/do not add up/);
    }
    await expect(average([first], { head: second })).rejects.toThrow(/second is not one of the tasks/);
    for (const task of [first, wide, stacked, second]) task.dispose();
  });
});
