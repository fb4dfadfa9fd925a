import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { createRuntime, type Runtime } from 'graft-ml';
import type {
  AppState,
  DeviceChoice,
  EngineEvent,
  ExampleRow,
  TaskState,
  TrainOptions,
} from '../../../../examples/web/src/engine';
import { GraftEngine } from '../../../../examples/web/src/worker/engine';
import type { Storage } from '../../../../examples/web/src/worker/storage/storage';
import { OnlyTab, type Tabs } from '../../../../examples/web/src/worker/tabs';

export interface TestEngine {
  readonly engine: GraftEngine;
  readonly events: EngineEvent[];
  readonly state: AppState;
  /** Resolves with the next event that `wanted` finds; looks only at what comes. */
  next<T extends EngineEvent>(wanted: (event: EngineEvent) => event is T): Promise<T>;
}

export interface EngineOptions {
  readonly storage: Storage | undefined;
  readonly tabs?: Tabs;
  readonly openRuntime?: (backend: DeviceChoice) => Promise<Runtime>;
}

/** An engine as a page opens it: on the CPU, where nothing else is asked for, with graft-mini loaded. */
export async function openEngine({ storage, tabs, openRuntime }: EngineOptions): Promise<TestEngine> {
  const events: EngineEvent[] = [];
  const watchers = new Set<(event: EngineEvent) => void>();
  const engine = new GraftEngine({
    openStorage: async () => storage,
    tabs: tabs ?? new OnlyTab(),
    browser: 'test 1.0',
    openRuntime: openRuntime ?? (() => createRuntime({ backend: 'wasm' })),
  });
  const next: TestEngine['next'] = (wanted) =>
    new Promise((resolve) => {
      const watcher = (event: EngineEvent) => {
        if (!wanted(event)) return;
        watchers.delete(watcher);
        resolve(event);
      };
      watchers.add(watcher);
    });
  const isLoaded = next((event) => event.type === 'backbone');
  const state = await engine.open((event) => {
    events.push(structuredClone(event));
    for (const watcher of [...watchers]) watcher(event);
  });
  await isLoaded;
  return { engine, events, state, next };
}

/** Examples of examples/data, whose columns are text and label. */
export function exampleData(name: string, count: number): ExampleRow[] {
  const path = join(import.meta.dirname, '..', '..', '..', '..', 'examples', 'data', `${name}.tsv`);
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .slice(1, count + 1)
    .map((line) => {
      const [text = '', label = ''] = line.split('\t');
      return { text, label };
    });
}

export const RECIPE: TrainOptions = { epochs: 3, batchSize: 16, learningRate: 2e-3, seed: 7, heldOut: 0.25 };

/** A new task with examples, ready to train. */
export async function newTask(
  { engine }: TestEngine,
  examples: readonly ExampleRow[],
  name = 'Requests',
): Promise<TaskState> {
  const task = await engine.createTask({ name, kind: 'classification', bottleneck: 16 });
  const { problems } = await engine.setExamples(task.id, examples);
  if (problems.length > 0) throw new Error(problems[0]?.message);
  return task;
}

/** The adapter's files that `download` gives, by name; the zip itself holds the time, too. */
export async function downloaded(
  { engine }: TestEngine,
  taskId: string,
): Promise<Record<string, Uint8Array>> {
  const { zip } = await engine.download(taskId);
  return unzipSync(new Uint8Array(await zip.arrayBuffer()));
}
