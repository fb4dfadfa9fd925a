/** Devices that compute wrongly or are lost: what the engine makes of them. */
import { createRuntime, NoGPUError, type Runtime, type SelfTestOptions } from 'graft-ml';
import { describe, expect, it } from 'vitest';
import type { DeviceChoice, EngineEvent } from '../../../examples/web/src/engine';
import { createLosableRuntime, withMembers } from '../../support/losing-device';
import { exampleData, newTask, openEngine, RECIPE } from './support/engines';
import { MemoryStorage } from './support/memory-storage';

const examples = exampleData('requests.train', 96);
const recipe = { ...RECIPE, epochs: 4 };
const isStep =
  (step: number) =>
  (event: EngineEvent): event is EngineEvent & { type: 'step' } =>
    event.type === 'step' && event.progress.step >= step;

/** Every device counts as checked. */
function checkedStorage(): MemoryStorage {
  const storage = new MemoryStorage();
  storage.stores['device-checks'].get = () => true;
  return storage;
}

/** WebGPU devices that can be destroyed, the last one by `lose`. */
function losableDevices() {
  const opened: DeviceChoice[] = [];
  let lose = () => {};
  return {
    opened,
    lose: () => lose(),
    open: async (choice: DeviceChoice): Promise<Runtime> => {
      opened.push(choice);
      if (choice === 'wasm') return createRuntime({ backend: 'wasm' });
      const losable = await createLosableRuntime();
      lose = losable.lose;
      return losable.runtime;
    },
  };
}

async function lossesWithout(): Promise<number[]> {
  const page = await openEngine({ storage: undefined });
  const task = await newTask(page, examples);
  const { curves } = await page.engine.train(task.id, recipe);
  return curves.loss.map(({ loss }) => loss);
}

describe('a device that is lost', () => {
  it('in training costs no step: it is opened again, and lost again gives way to the CPU', {
    timeout: 180_000,
  }, async () => {
    const undisturbed = await lossesWithout();
    const devices = losableDevices();
    const page = await openEngine({ storage: checkedStorage(), openRuntime: devices.open });
    const task = await newTask(page, examples);
    const third = page.next(isStep(3));
    const run = page.engine.train(task.id, recipe);
    await third;
    devices.lose();
    const isAgain = page.next((event): event is EngineEvent & { type: 'device' } => event.type === 'device');
    expect((await isAgain).device).toMatchObject({
      backend: 'webgpu',
      note: expect.stringContaining('was lost and opened again'),
    });
    await page.next(isStep(9));
    devices.lose();
    const done = await run;
    expect(devices.opened).toEqual(['auto', 'auto', 'wasm']);
    expect(done.note).toContain('was lost twice: the CPU computes instead');
    expect(done.status).toBe('trained');
    const { loss } = done.curves;
    expect(loss.map(({ step }) => step)).toEqual(undisturbed.map((_, i) => i + 1));
    const errors = loss.map((point, i) => Math.abs(point.loss - (undisturbed[i] ?? Number.NaN)) / point.loss);
    expect(Math.max(...errors)).toBeLessThan(1e-3);
    expect(await page.engine.predict(task.id, 'Now!')).toMatchObject({ kind: 'classification' });
  });

  it('between predictions is opened again', async () => {
    const devices = losableDevices();
    const page = await openEngine({ storage: checkedStorage(), openRuntime: devices.open });
    const task = await newTask(page, examples);
    await page.engine.chooseDevice('wasm');
    await page.engine.train(task.id, { ...recipe, epochs: 1 });
    await page.engine.chooseDevice('webgpu');
    const before = await page.engine.predict(task.id, 'Whenever you like');
    devices.lose();
    const after = await page.engine.predict(task.id, 'Whenever you like');
    if (before.kind !== 'classification' || after.kind !== 'classification')
      throw new Error('no classification');
    expect(after.label).toBe(before.label);
    expect(after.scores[0]?.score).toBeCloseTo(before.scores[0]?.score ?? 0, 5);
    expect(devices.opened).toEqual(['auto', 'wasm', 'webgpu', 'webgpu']);
  });
});

describe('a device', () => {
  it('that computes wrongly is not used, and is not asked twice', async () => {
    const storage = new MemoryStorage();
    let tests = 0;
    const open = async (choice: DeviceChoice): Promise<Runtime> => {
      const runtime = await createRuntime({ backend: 'wasm' });
      if (choice === 'wasm') return runtime;
      return withMembers(runtime, {
        backend: 'webgpu',
        selfTest: async ({ onProgress }: SelfTestOptions = {}) => {
          tests += 1;
          onProgress?.(1, 2);
          return { passed: false, checks: [] };
        },
      });
    };
    const page = await openEngine({ storage, openRuntime: open });
    expect(page.events).toContainEqual({ type: 'checking-device', done: 1, total: 2 });
    expect((await page.engine.open(() => undefined)).device).toMatchObject({
      choice: 'auto',
      backend: 'wasm',
      note: expect.stringContaining('computes wrongly in this browser. The CPU computes instead.'),
    });
    const again = await openEngine({ storage, openRuntime: open });
    expect((await again.engine.open(() => undefined)).device?.backend).toBe('wasm');
    expect(tests).toBe(1);
  });

  it('that is not there gives way to the CPU, with the reason', async () => {
    const open = async (choice: DeviceChoice): Promise<Runtime> => {
      if (choice === 'wasm') return createRuntime({ backend: 'wasm' });
      throw new NoGPUError('this browser or runtime has no WebGPU');
    };
    const page = await openEngine({ storage: undefined, openRuntime: open });
    expect(await page.engine.chooseDevice('webgpu')).toMatchObject({
      choice: 'webgpu',
      backend: 'wasm',
      note: expect.stringContaining('has no WebGPU. The CPU computes instead.'),
    });
  });
});
