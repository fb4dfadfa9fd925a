/** A device that is lost in a training run costs no step: the state goes on elsewhere. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { houlsby } from '../../src/adapters/houlsby';
import type { Backend } from '../../src/backends/backend';
import { WasmBackend } from '../../src/backends/wasm/backend';
import { DeviceLostError, OptionError } from '../../src/errors';
import { type Backbone, loadBackbone } from '../../src/training/backbone';
import { Runtime } from '../../src/training/runtime';
import type { Task } from '../../src/training/task';
import type { DoneReport, Example, StepReport, TrainingOptions } from '../../src/training/types';
import { goldenPath } from '../support/checkpoint';
import { createLosableRuntime, losingBackend, withMembers } from '../support/losing-device';

const words = ['love', 'watch', 'end', 'make', 'see', 'never', 'always', 'ever'];
const examples: Example[] = words.flatMap((word) => [
  { text: `${word} new`, label: 'fresh' },
  { text: `old ${word}`, label: 'stale' },
]);
const recipe: TrainingOptions = { batchSize: 6, learningRate: 3e-3, epochs: 6, seed: 5, dev: examples };
const STEPS = 18;

const load = (runtime: Runtime) => loadBackbone(goldenPath('bert', 'checkpoint'), { runtime });

function createTask(backbone: Backbone): Promise<Task> {
  const adapter = houlsby({ bottleneck: 8 });
  return backbone.createTask({ labels: ['fresh', 'stale'], adapter, dropout: 0.1 });
}

interface Course {
  readonly steps: readonly StepReport[];
  readonly done: DoneReport | undefined;
  readonly error: unknown;
  readonly state: Uint8Array | undefined;
}

/** Trains to the end or an error; `afterStep` may do harm meanwhile. */
async function train(
  task: Task,
  options: TrainingOptions,
  afterStep?: (step: number) => void,
): Promise<Course> {
  const steps: StepReport[] = [];
  let done: DoneReport | undefined;
  let state: Uint8Array | undefined;
  const onCheckpoint = async (bytes: Uint8Array) => {
    state = bytes;
  };
  try {
    for await (const report of task.train(examples, { ...recipe, onCheckpoint, ...options })) {
      if (report.type === 'done') done = report;
      if (report.type !== 'step') continue;
      steps.push(report);
      afterStep?.(report.step);
    }
    return { steps, done, error: undefined, state };
  } catch (error) {
    return { steps, done, error, state };
  }
}

describe('the CPU said to be lost', () => {
  let backend: WasmBackend;
  let backbone: Backbone;
  let undisturbed: Course;
  let files: Record<string, Uint8Array>;

  beforeAll(async () => {
    backend = await WasmBackend.create();
    backbone = await load(new Runtime(backend));
    const task = await createTask(backbone);
    undisturbed = await train(task, {});
    files = await task.save();
    task.dispose();
  });
  afterAll(() => backend.dispose());

  // Three steps and an evaluation an epoch.
  it.each([
    { lostAt: 1, stepsDone: 0 },
    { lostAt: 6, stepsDone: 4 },
    { lostAt: 8, stepsDone: 6 },
    { lostAt: 24, stepsDone: 18 },
  ])('at run $lostAt, hands over the state after $stepsDone steps; resumed, the same bytes', async (at) => {
    const runtime = new Runtime(losingBackend(backend, at.lostAt));
    const begun = await train(await createTask(await load(runtime)), {});
    expect(begun.error).toBeInstanceOf(DeviceLostError);
    expect(begun.steps.length).toBe(at.stepsDone);

    const task = await createTask(backbone);
    const resumed = await train(task, { resume: begun.state });
    expect(resumed.error).toBeUndefined();
    const losses = [...begun.steps, ...resumed.steps].map(({ loss }) => loss);
    expect(losses).toEqual(undisturbed.steps.map(({ loss }) => loss));
    expect(losses.length).toBe(STEPS);
    expect(resumed.done?.dev).toEqual(undisturbed.done?.dev);
    expect(resumed.done?.bestEpoch).toBe(undisturbed.done?.bestEpoch);
    expect(await task.save()).toEqual(files);
    task.dispose();
  });

  it('goes on where the automatic token budget is another, not with another one given', async () => {
    // 32 sequences of at most 128 tokens: 4096, or 2048 on a software driver.
    const options: TrainingOptions = { batchSize: 32 };
    const lost = new Runtime(losingBackend(backend, 3));
    const { state } = await train(await createTask(await load(lost)), options);
    const device = { ...backend.device, isFallback: !backend.device.isFallback };
    const slow = withMembers<Backend>(backend, { device });
    const elsewhere = await load(new Runtime(slow));
    const task = await createTask(elsewhere);
    const resumed = await train(task, { ...options, resume: state });
    expect(resumed.error).toBeUndefined();
    expect(resumed.steps[0]?.step).toBe(2);
    const refused = await train(task, { ...options, resume: state, tokenBudget: 512 });
    expect(refused.error).toBeInstanceOf(OptionError);
    expect(String(refused.error)).toContain('tokenBudget: the run was begun with auto, now it is 512');
  });
});

describe('a GPUDevice that is destroyed', () => {
  let undisturbed: Course;
  const course = async (runtime: Runtime, options: TrainingOptions = {}) => {
    const result = await train(await createTask(await load(runtime)), options);
    runtime.dispose();
    return result;
  };

  beforeAll(async () => {
    undisturbed = await course((await createLosableRuntime()).runtime);
    expect(undisturbed.error).toBeUndefined();
  });

  it.each(['between two steps', 'while a step runs'])(
    '%s, costs none: on WebGPU and on the CPU',
    async (when) => {
      const { runtime, lose } = await createLosableRuntime();
      const begun = await train(await createTask(await load(runtime)), {}, (step) => {
        if (step !== 7) return;
        if (when === 'between two steps') lose();
        else setTimeout(lose, 1);
      });
      expect(begun.error).toBeInstanceOf(DeviceLostError);
      const { length } = begun.steps;
      expect(length).toBeGreaterThanOrEqual(7);
      expect(length).toBeLessThan(STEPS);

      const fresh = await course((await createLosableRuntime()).runtime, { resume: begun.state });
      const cpu = await course(new Runtime(await WasmBackend.create()), { resume: begun.state });
      for (const resumed of [fresh, cpu]) {
        expect(resumed.error).toBeUndefined();
        const losses = [...begun.steps, ...resumed.steps].map(({ loss }) => loss);
        expect(losses.length).toBe(STEPS);
        const errors = losses.map((loss, i) => {
          const wanted = undisturbed.steps[i]?.loss ?? Number.NaN;
          return Math.abs(loss - wanted) / wanted;
        });
        expect(Math.max(...errors)).toBeLessThan(1e-3);
      }
      // The run is no standstill whose losses would agree anyway.
      const losses = undisturbed.steps.map(({ loss }) => loss);
      expect(Math.max(...losses) - Math.min(...losses)).toBeGreaterThan(0.02);
    },
  );
});
