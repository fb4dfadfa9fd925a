/**
 * Several tasks on one backbone, in turn in one process:
 *   npm run bench:composition -- [BACKBONE] [webgpu|wasm] [ROUNDS] [f32|f16|int8]
 *
 * Together: a batch with texts of several tasks in one forward pass, against each task's texts by themselves, one after the other.
 * All: four tasks on the same texts with the adapters of the lowest n layers left out, computed together and apart, against apart with
 * n = 0; 16 texts.
 * Merged: LoRA and (IA)³ beside the bare backbone with a head, as they are and folded into its weights; 64 texts.
 * The ways take turns, on one thread. Times are the processor's; ratios are those of the fastest rounds, and medians of the rounds' ratios beside them.
 */
import {
  type Backbone,
  createRuntime,
  headOnly,
  houlsby,
  ia3,
  loadBackbone,
  lora,
  type Task,
} from '../src/index';
import { exampleMessages } from './example-texts';
import { median } from './statistics';

const [source = '.cache/minilm', chosen = 'wasm', rounds = '9', storage = 'f32'] = process.argv.slice(2);
const ROUNDS = Number(rounds);

async function createTasks(backbone: Backbone, count: number): Promise<Task[]> {
  const tasks: Task[] = [];
  for (let seed = 0; seed < count; seed++) {
    const labels = ['a', 'b'];
    tasks.push(await backbone.createTask({ name: `task ${seed}`, labels, adapter: houlsby(), seed }));
  }
  return tasks;
}

/** Milliseconds of the processor in this process: what other programs take of it is not counted. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1000;
}

/** Milliseconds of each way of a round, its medians, after a first round that does not count. */
async function inTurn(ways: readonly (() => Promise<unknown>)[]): Promise<number[][]> {
  const times: number[][] = ways.map(() => []);
  for (let round = -1; round < ROUNDS; round++) {
    for (const [index, way] of ways.entries()) {
      const milliseconds = await timed(way);
      if (round >= 0) times[index]?.push(milliseconds);
    }
  }
  return times;
}

/** How many times as long the first takes as the second: the fastest rounds, since other work on the machine only adds. */
function fastestRatio(first: readonly number[] = [], second: readonly number[] = []): number {
  return Math.min(...first) / Math.min(...second);
}

/** Likewise the median of the rounds' ratios. */
function medianRatio(first: readonly number[] = [], second: readonly number[] = []): number {
  return median(first.map((value, round) => value / (second[round] ?? Number.NaN)));
}

async function together(backbone: Backbone, texts: readonly string[]): Promise<void> {
  console.log('tasks × texts | apart, fastest ms | together | apart / together | median of ratios');
  for (const [taskCount, each] of [
    [2, 1],
    [4, 1],
    [8, 1],
    [4, 4],
    [8, 4],
    [4, 16],
  ] as const) {
    const tasks = await createTasks(backbone, taskCount);
    const group = backbone.groupTasks(tasks);
    const textsOf = tasks.map((_, index) =>
      Array.from({ length: each }, (_, i) => texts[(index * each + i) % texts.length] ?? ''),
    );
    const inputs = tasks.flatMap((task, index) => (textsOf[index] ?? []).map((text) => ({ task, text })));
    const [apart, mixed] = await inTurn([
      async () => {
        for (const [index, task] of tasks.entries()) await task.predict(textsOf[index] ?? []);
      },
      () => group.predict(inputs),
    ]);
    console.log(
      [
        `${taskCount} × ${each}`,
        Math.min(...(apart ?? [])).toFixed(1),
        Math.min(...(mixed ?? [])).toFixed(1),
        fastestRatio(apart, mixed).toFixed(2),
        medianRatio(apart, mixed).toFixed(2),
      ].join(' | '),
    );
    group.dispose();
    for (const task of tasks) task.dispose();
  }
}

async function dropped(backbone: Backbone, texts: readonly string[], taskCount: number): Promise<void> {
  console.log(`n | ${taskCount} tasks apart, saved % (median) | together, saved % (median)`);
  const tasks = await createTasks(backbone, taskCount);
  const group = backbone.groupTasks(tasks);
  for (let dropLayers = 0; dropLayers <= backbone.config.layers; dropLayers++) {
    const apart = async (layers: number) => {
      for (const task of tasks) await task.predict(texts, { dropLayers: layers });
    };
    const [whole, lighter, shared] = await inTurn([
      () => apart(0),
      () => apart(dropLayers),
      () => group.predictAll(texts, { dropLayers }),
    ]);
    const percent = (ratio: number) => (100 * (1 - ratio)).toFixed(0);
    const saved = (times: readonly number[] | undefined) =>
      `${percent(fastestRatio(times, whole))} (${percent(medianRatio(times, whole))})`;
    console.log(`${dropLayers} | ${saved(lighter)} | ${saved(shared)}`);
  }
  group.dispose();
  for (const task of tasks) task.dispose();
}

/** What a method adds to a prediction, and what is left of that once it is merged. */
async function merged(backbone: Backbone, texts: readonly string[]): Promise<void> {
  console.log('method | added %, fastest (median) | merged');
  const labels = ['a', 'b'];
  const bare = await backbone.createTask({ labels, adapter: headOnly() });
  for (const adapter of [lora(), ia3()]) {
    const [apart, folded] = [
      await backbone.createTask({ labels, adapter }),
      await backbone.createTask({ labels, adapter }),
    ];
    await folded.merge();
    const [plain, own, inside] = await inTurn([bare, apart, folded].map((task) => () => task.predict(texts)));
    const percent = (ratio: number) => (100 * (ratio - 1)).toFixed(1);
    const added = (times: readonly number[] | undefined) =>
      `${percent(fastestRatio(times, plain))} (${percent(medianRatio(times, plain))})`;
    console.log(`${adapter.kind} | ${added(own)} | ${added(inside)}`);
    apart.dispose();
    folded.dispose();
  }
  bare.dispose();
}

const runtime = await createRuntime({ backend: chosen === 'webgpu' ? 'webgpu' : 'wasm', threads: 1 });
const weights = storage === 'f16' || storage === 'int8' ? storage : 'f32';
const backbone = await loadBackbone(source, { runtime, weights });
const texts = exampleMessages()
  .slice(0, 64)
  .map(({ text }) => text);
console.log(
  `${runtime.device.name}: ${source} in ${weights}, Houlsby 64, ${texts.length} texts, ${ROUNDS} rounds`,
);
await together(backbone, texts);
await merged(backbone, texts);
for (const taskCount of [1, 4]) await dropped(backbone, texts.slice(0, 16), taskCount);
backbone.dispose();
runtime.dispose();
process.exit(0);
