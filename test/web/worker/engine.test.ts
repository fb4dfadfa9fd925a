/** The engine's main flow in Node, on the CPU with graft-mini: what a page does with it. */
import { readFileSync } from 'node:fs';
import { unzipSync } from 'fflate';
import { afterEach, describe, expect, it } from 'vitest';
import type { EngineEvent } from '../../../examples/web/src/engine';
import { goldenPath } from '../../support/checkpoint';
import { downloaded, exampleData, newTask, openEngine, RECIPE } from './support/engines';
import { TabHub } from './support/fake-tabs';
import { MemoryStorage } from './support/memory-storage';

const examples = exampleData('requests.train', 160);
const isStep =
  (step: number) =>
  (event: EngineEvent): event is EngineEvent & { type: 'step' } =>
    event.type === 'step' && event.progress.step >= step;

describe('a task', () => {
  it('is trained, predicts, and travels as a zip', async () => {
    const storage = new MemoryStorage();
    const page = await openEngine({ storage });
    const { engine, events } = page;
    expect(page.state.tasks).toEqual([]);
    const task = await newTask(page, examples);
    expect(task).toMatchObject({ status: 'new', fits: true, curves: { loss: [], dev: [] } });

    const trained = await engine.train(task.id, { ...RECIPE, epochs: 8 });
    expect(trained.status).toBe('trained');
    expect(trained.note).toBeUndefined();
    expect(trained.labels).toEqual(['now', 'soon', 'whenever']);
    const { result, curves } = trained;
    if (result === undefined || !('accuracy' in result.metrics)) throw new Error('there is no result');
    expect(result.metrics.examples).toBe(40);
    expect(result.metrics.accuracy).toBeGreaterThan(0.5);
    expect(result.mistakes.length).toBe(Math.round(40 * (1 - result.metrics.accuracy)));
    for (const { row, text, expected, predicted, score } of result.mistakes) {
      expect(examples[row]).toMatchObject({ text, label: expected });
      expect(predicted).not.toBe(expected);
      expect(score).toBeGreaterThan(1 / 3);
    }
    expect(result.baseline.score).toBeGreaterThan(0.4);
    expect(result.baseline.score).toBeLessThanOrEqual(1);
    expect(curves.loss.map(({ step }) => step)).toEqual(Array.from({ length: 64 }, (_, i) => i + 1));
    expect(curves.dev.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const phases = events.flatMap((event) => (event.type === 'task' ? [event.task.progress?.phase] : []));
    for (const phase of ['preparing', 'training', 'evaluating', 'comparing']) expect(phases).toContain(phase);

    const prediction = await engine.predict(task.id, 'The whole site is down, help immediately!');
    if (prediction.kind !== 'classification') throw new Error('no classification');
    expect(prediction.scores.map(({ label }) => label).sort()).toEqual(['now', 'soon', 'whenever']);
    expect(prediction.scores[0]?.label).toBe(prediction.label);

    const { fileName, zip } = await engine.download(task.id);
    expect(fileName).toBe('Requests.zip');
    const names = Object.keys(unzipSync(new Uint8Array(await zip.arrayBuffer())));
    expect(names.sort()).toEqual([
      'adapter.safetensors',
      'adapter_config.json',
      'graft_backbone.json',
      'head_config.json',
      'model_head.safetensors',
    ]);
    const copy = await engine.upload([new File([zip], fileName)]);
    expect(copy).toMatchObject({ name: 'Requests', status: 'trained', fits: true, labels: trained.labels });
    expect(copy.trainableParameters).toBe(trained.trainableParameters);
    const again = await engine.predict(copy.id, 'The whole site is down, help immediately!');
    expect(again).toMatchObject({ label: prediction.label, scores: prediction.scores });

    await engine.removeTask(task.id);
    await expect(engine.predict(task.id, 'Hello')).rejects.toThrow('there is no such task');
    expect([...storage.stores.tasks.keys()]).toEqual([copy.id]);
    expect([...storage.stores.adapters.keys()]).toEqual([copy.id]);
  });

  it('paused, and gone on with by another page, ends with the same bytes', async () => {
    const storage = new MemoryStorage();
    const first = await openEngine({ storage });
    const whole = await newTask(first, examples);
    const expected = await first.engine.train(whole.id, RECIPE);
    const bytes = await downloaded(first, whole.id);

    const task = await newTask(first, examples);
    const reached = first.next(isStep(11));
    const run = first.engine.train(task.id, RECIPE);
    await reached;
    await first.engine.pause(task.id);
    const paused = await run;
    expect(paused.status).toBe('paused');
    expect(paused.progress?.step).toBeGreaterThanOrEqual(11);

    const second = await openEngine({ storage });
    const kept = second.state.tasks.find(({ id }) => id === task.id);
    expect(kept).toMatchObject({ status: 'paused', options: RECIPE, exampleCount: 160 });
    expect(kept?.curves.loss.length).toBe(kept?.progress?.step);
    await expect(second.engine.predict(task.id, 'Hello')).rejects.toThrow('is not trained yet');
    const done = await second.engine.train(task.id, { ...RECIPE, epochs: 9 });
    expect(done.curves).toEqual(expected.curves);
    expect(done.result?.metrics).toEqual(expected.result?.metrics);
    expect(done.result?.baseline.score).toBe(expected.result?.baseline.score);
    expect(await downloaded(second, task.id)).toEqual(bytes);
    expect(storage.stores.states.size).toBe(0);
  });

  it('whose page was killed in training goes on from its last checkpoint', async () => {
    const storage = new MemoryStorage();
    const hub = new TabHub();
    const tab = hub.open();
    const first = await openEngine({ storage, tabs: tab });
    const task = await newTask(first, examples);
    const reached = first.next(
      (event): event is EngineEvent & { type: 'task' } =>
        event.type === 'task' && event.task.curves.dev.length === 1,
    );
    void first.engine.train(task.id, { ...RECIPE, epochs: 200 }).catch(() => undefined);
    await reached;
    // The state of the first epoch's end is kept before the next step begins.
    await first.next(isStep(9));
    const snapshot = storage.copy();
    tab.close();
    const second = await openEngine({ storage: snapshot });
    expect(second.state.tasks[0]).toMatchObject({ status: 'paused', options: { epochs: 200 } });
    const going = second.next(isStep(1));
    const run = second.engine.train(task.id, RECIPE);
    expect((await going).progress.step).toBeGreaterThan(8);
    await second.engine.cancel(task.id);
    expect(await run).toMatchObject({ status: 'new', curves: { loss: [] } });
    expect(snapshot.stores.states.size).toBe(0);
    await first.engine.cancel(task.id);
  });

  it('cancelled is what it was before; retrained it keeps its adapter until the end', async () => {
    const page = await openEngine({ storage: new MemoryStorage() });
    const { engine } = page;
    const task = await newTask(page, examples);
    const before = await engine.train(task.id, { ...RECIPE, epochs: 1 });
    const bytes = await downloaded(page, task.id);
    const reached = page.next(isStep(3));
    const run = engine.train(task.id, { ...RECIPE, seed: 8 });
    await reached;
    // Between two steps: the parameters as they are.
    const prediction = await engine.predict(task.id, 'Tomorrow will do');
    expect(prediction.kind).toBe('classification');
    await expect(engine.setExamples(task.id, [])).rejects.toThrow('is being trained');
    await expect(engine.chooseDevice('wasm')).rejects.toThrow('is being trained');
    await expect(engine.train(task.id, RECIPE)).rejects.toThrow('is being trained');
    await engine.cancel(task.id);
    expect(await run).toEqual(before);
    expect(await downloaded(page, task.id)).toEqual(bytes);
  });

  it('with other examples cannot go on, and says so; the same ones change nothing', async () => {
    const storage = new MemoryStorage();
    const page = await openEngine({ storage });
    const { engine } = page;
    const task = await newTask(page, examples);
    const run = engine.train(task.id, RECIPE);
    await page.next(isStep(2));
    await engine.pause(task.id);
    expect((await run).status).toBe('paused');
    await engine.setExamples(task.id, examples);
    expect(storage.stores.states.size).toBe(1);
    await engine.setExamples(task.id, examples.slice(1));
    expect(storage.stores.states.size).toBe(0);
    const [state] = (await engine.open(() => undefined)).tasks;
    expect(state).toMatchObject({ status: 'new', note: expect.stringContaining('have changed') });
  });

  it('of numbers is a regression', async () => {
    const page = await openEngine({ storage: undefined });
    expect(page.state.storage).toMatchObject({
      available: false,
      note: expect.stringContaining('no storage'),
    });
    const { engine } = page;
    const task = await engine.createTask({ name: 'Length', kind: 'regression', bottleneck: 8 });
    const lengths = examples.map(({ text }) => ({ text, label: (text.length / 40).toFixed(2) }));
    await engine.setExamples(task.id, lengths);
    const done = await engine.train(task.id, { ...RECIPE, epochs: 6 });
    const { result } = done;
    if (result === undefined || !('pearson' in result.metrics)) throw new Error('there is no result');
    expect(result.metrics.pearson).toBeGreaterThan(0.3);
    expect(result.baseline.score).toBeGreaterThan(0.3);
    const distances = result.mistakes.map(({ expected, predicted }) =>
      Math.abs(Number(expected) - Number(predicted)),
    );
    // As they are shown, with two digits.
    distances.slice(1).forEach((distance, i) => {
      expect(distance).toBeLessThan((distances[i] ?? 0) + 0.011);
    });
    const prediction = await engine.predict(task.id, 'Short.');
    expect(prediction).toMatchObject({ kind: 'regression', value: expect.any(Number) });
  });

  it('of another backbone stays kept, but does not fit', async () => {
    const page = await openEngine({ storage: new MemoryStorage() });
    const { engine } = page;
    const task = await newTask(page, examples);
    await engine.train(task.id, { ...RECIPE, epochs: 1 });
    const zip = (await engine.download(task.id)).zip;
    const files = ['config.json', 'vocab.txt', 'model.safetensors'].map(
      (name) => new File([readFileSync(goldenPath('bert', 'checkpoint', name))], name),
    );
    const backbone = await engine.loadBackbone({ kind: 'files', files });
    expect(backbone).toMatchObject({ layers: 2, hiddenSize: 64 });
    const [state] = (await engine.open(() => undefined)).tasks;
    expect(state).toMatchObject({ fits: false, backbone: 'graft-mini', status: 'trained' });
    await expect(engine.predict(task.id, 'Hello')).rejects.toThrow('another backbone, graft-mini');
    await expect(engine.upload([new File([zip], 'x.zip')])).rejects.toThrow('another backbone, graft-mini');
  });
});

describe('a backbone', () => {
  const golden = (name: string) => new File([readFileSync(goldenPath('bert', 'checkpoint', name))], name);
  const files = ['config.json', 'vocab.txt', 'model.safetensors'].map(golden);

  it('of files is kept, and loaded again by the next page', async () => {
    const storage = new MemoryStorage();
    const first = await openEngine({ storage });
    const mini = await first.engine.open(() => undefined);
    const chosen = await first.engine.loadBackbone({ kind: 'files', files });
    expect(chosen.fingerprint).not.toBe(mini.backbone?.fingerprint);
    const second = await openEngine({ storage });
    expect(second.state.backboneChoice).toMatchObject({
      kind: 'files',
      files: [{ name: 'config.json' }, {}, {}],
    });
    expect((await second.engine.open(() => undefined)).backbone).toEqual(chosen);
    await second.engine.loadBackbone({ kind: 'embedded' });
    expect(storage.stores['backbone-files'].size).toBe(0);
    expect((await openEngine({ storage })).state.backboneChoice).toEqual({ kind: 'embedded' });
  });

  it('that cannot be loaded, or is given up, leaves the former one', async () => {
    const { engine } = await openEngine({ storage: undefined });
    const { backbone } = await engine.open(() => undefined);
    await expect(engine.loadBackbone({ kind: 'files', files: files.slice(0, 1) })).rejects.toThrow(
      'vocab.txt',
    );
    const loading = engine.loadBackbone({ kind: 'files', files });
    await engine.cancelLoading();
    await expect(loading).rejects.toThrow('cancelled');
    expect((await engine.open(() => undefined)).backbone).toEqual(backbone);
  });
});

describe('two tabs', () => {
  const hub = new TabHub();
  afterEach(() => {
    for (const tab of [...hub.tabs]) tab.close();
  });

  it('do not train the same task, see each other, and pass buttons on', async () => {
    const storage = new MemoryStorage();
    const tab = hub.open();
    const first = await openEngine({ storage, tabs: tab });
    const task = await newTask(first, examples);
    const second = await openEngine({ storage, tabs: hub.open() });
    const seen = second.next(isStep(3));
    const run = first.engine.train(task.id, { ...RECIPE, epochs: 12 });
    await seen;
    expect(second.events.filter(({ type }) => type === 'task').at(-1)).toMatchObject({
      task: { id: task.id, status: 'training' },
    });
    await expect(second.engine.train(task.id, RECIPE)).rejects.toThrow('in another tab');
    await expect(second.engine.removeTask(task.id)).rejects.toThrow('in another tab');
    await second.engine.pause(task.id);
    expect((await run).status).toBe('paused');
    const done = await second.engine.train(task.id, RECIPE).catch((error: unknown) => error);
    expect(done).toMatchObject({ status: 'trained' });
    expect(first.events.at(-1)).toMatchObject({ task: { status: 'trained' } });
    // The adapter that the other tab has made.
    expect(await first.engine.predict(task.id, 'At once!')).toMatchObject({ kind: 'classification' });
  });

  it('one of which is closed leave its task to the other', async () => {
    const storage = new MemoryStorage();
    const tab = hub.open();
    const first = await openEngine({ storage, tabs: tab });
    const task = await newTask(first, examples);
    const second = await openEngine({ storage, tabs: hub.open() });
    const run = first.engine.train(task.id, { ...RECIPE, epochs: 50 });
    await second.next(isStep(9));
    const isFree = second.next(
      (event): event is EngineEvent & { type: 'task' } =>
        event.type === 'task' && event.task.status !== 'training',
    );
    tab.close();
    expect((await isFree).task.status).toBe('paused');
    await first.engine.cancel(task.id);
    await run;
  });
});
