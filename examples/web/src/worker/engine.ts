import {
  AdapterMismatchError,
  DataError,
  DivergedError,
  houlsby,
  OptionError,
  type Prediction,
  type Runtime,
  type Task,
  type TaskKind,
} from 'graft-ml';
import type {
  AppState,
  BackboneChoice,
  BackboneState,
  ColumnChoice,
  Curves,
  DataCheck,
  DeviceChoice,
  DeviceState,
  Engine,
  EngineEvent,
  ExampleRow,
  PredictionView,
  TableExamples,
  TableGuess,
  TaskSettings,
  TaskState,
  TrainOptions,
} from '../engine';
import { packAdapter, unpackAdapter } from './archive';
import { Bench, type Place } from './bench';
import { NO_CURVES } from './curves';
import { checkExamples } from './data/data-check';
import { guessKind, pairOf, sortedLabels } from './data/labels';
import { describeTable, examplesOf, readTable, type Table } from './data/read-table';
import { BusyError, engineErrorOf, NotFoundError, NotReadyError } from './errors';
import { DeviceOpener } from './open-device';
import { throttledProgress } from './progress-events';
import { Keeper } from './storage/keeper';
import { type RunRecord, SETTINGS_KEY, type Settings, type TaskRecord } from './storage/schema';
import type { Change, Storage } from './storage/storage';
import type { TabMessage, Tabs } from './tabs';
import { taskStateOf } from './task-state';
import { type RunOutcome, TrainingRun } from './training-run';

export interface EngineParts {
  /** Gives undefined where there is none: nothing survives the page. */
  readonly openStorage: () => Promise<Storage | undefined>;
  readonly tabs: Tabs;
  /** The browser with its version. */
  readonly browser: string;
  /** Bytes in use. */
  readonly estimate?: (() => Promise<number | undefined>) | undefined;
  /** Default: the library's. */
  readonly openRuntime?: ((backend: DeviceChoice) => Promise<Runtime>) | undefined;
}

/** Tables that were read and may still be asked for. */
const MOST_TABLES = 4;
const MOST_TOKENS = 128;
/** Steps are told to other tabs no more often than this. */
const TELL_MILLISECONDS = 250;

/** Why a run stops. */
class RunPaused extends Error {}
class RunCancelled extends Error {}

interface ActiveRun {
  readonly taskId: string;
  readonly controller: AbortController;
  run: TrainingRun | undefined;
  readonly ended: Promise<void>;
}

/** Everything behind the page: see the contract in ../engine.ts. */
export class GraftEngine implements Engine {
  readonly #openStorage: EngineParts['openStorage'];
  readonly #keeper: Keeper;
  readonly #tabs: Tabs;
  readonly #bench: Bench;
  readonly #records = new Map<string, TaskRecord>();
  /** Tasks that another tab trains. */
  readonly #elsewhere = new Set<string>();
  readonly #tables = new Map<string, Table>();
  #settings: Settings = { device: 'auto', backbone: { kind: 'embedded' } };
  #backboneChoice: BackboneChoice = { kind: 'embedded' };
  #active: ActiveRun | undefined;
  #listener: (event: EngineEvent) => void = () => undefined;
  #isOpen = false;
  #toldAt = 0;

  constructor({ openStorage, tabs, browser, estimate, openRuntime }: EngineParts) {
    this.#openStorage = openStorage;
    this.#tabs = tabs;
    this.#keeper = new Keeper(estimate ?? (async () => undefined), (storage) =>
      this.#emit({ type: 'storage', storage }),
    );
    const opener = new DeviceOpener({
      keeper: this.#keeper,
      browser,
      onCheck: (done, total) => this.#emit({ type: 'checking-device', done, total }),
      open: openRuntime,
    });
    const loading = throttledProgress((progress) => this.#emit({ type: 'loading', ...progress }));
    this.#bench = new Bench(opener, {
      device: (device) => this.#emit({ type: 'device', device }),
      backbone: (backbone) => {
        this.#emit({ type: 'backbone', backbone });
        for (const record of this.#records.values()) this.#emitTask(record);
      },
      loading,
    });
  }

  async open(listener: (event: EngineEvent) => void): Promise<AppState> {
    this.#listener = listener;
    if (!this.#isOpen) {
      this.#isOpen = true;
      const storage = await this.#openStorage();
      if (storage !== undefined) this.#keeper.attach(storage);
      await this.#readKept();
      this.#tabs.listen((message) => this.#hear(message));
      void this.#start();
    }
    return {
      device: this.#bench.device,
      backbone: this.#bench.backboneState,
      backboneChoice: this.#backboneChoice,
      tasks: this.#sortedRecords().map((record) => this.#stateOf(record)),
      storage: await this.#keeper.measure(),
    };
  }

  async chooseDevice(choice: DeviceChoice): Promise<DeviceState> {
    this.#requireIdle();
    const state = await this.#bench.openDevice(choice);
    await this.#keepSettings({ ...this.#settings, device: choice });
    return state;
  }

  async loadBackbone(choice: BackboneChoice): Promise<BackboneState> {
    this.#requireIdle();
    const state = await this.#bench.openBackbone(choice);
    this.#backboneChoice = choice;
    const files =
      choice.kind === 'files'
        ? Object.fromEntries(choice.files.map((file) => [file.name, file.slice(0, file.size)]))
        : undefined;
    await this.#keepSettings(
      { ...this.#settings, backbone: choice.kind === 'files' ? { kind: 'files' } : choice },
      [{ store: 'backbone-files', key: SETTINGS_KEY, value: files }],
    );
    await this.#keeper.measure();
    return state;
  }

  async cancelLoading(): Promise<void> {
    this.#bench.cancelLoading();
  }

  async readTable(source: string | File): Promise<TableGuess> {
    const table = await readTable(source);
    const tableId = crypto.randomUUID();
    this.#tables.set(tableId, table);
    for (const old of [...this.#tables.keys()].slice(0, -MOST_TABLES)) this.#tables.delete(old);
    return describeTable(tableId, table);
  }

  async applyColumns(tableId: string, columns: ColumnChoice): Promise<TableExamples> {
    const table = this.#tables.get(tableId);
    if (table === undefined) throw new NotFoundError('this table was read too long ago', 'Read it again');
    const examples = examplesOf(table, columns);
    return { examples, check: await this.checkExamples(guessKind(examples), examples) };
  }

  async createTask({ name, kind, bottleneck = 64 }: TaskSettings): Promise<TaskState> {
    houlsby({ bottleneck });
    const record: TaskRecord = {
      id: crypto.randomUUID(),
      name: checkName(name),
      kind,
      bottleneck,
      created: Date.now(),
      exampleCount: 0,
      exampleLabels: [],
      examplesArePairs: false,
    };
    await this.#keep(record);
    return this.#stateOf(record);
  }

  async renameTask(taskId: string, name: string): Promise<TaskState> {
    const record = { ...this.#require(taskId), name: checkName(name) };
    await this.#keep(record);
    return this.#stateOf(record);
  }

  async removeTask(taskId: string): Promise<void> {
    const { name } = this.#require(taskId);
    if (this.#elsewhere.has(taskId)) throw trainedElsewhere(name);
    await this.#stop(taskId, new RunCancelled());
    this.#records.delete(taskId);
    await this.#unload(taskId);
    await this.#keeper.write(
      (['tasks', 'examples', 'adapters', 'states'] as const).map(
        (store): Change => ({ store, key: taskId, value: undefined }),
      ),
    );
    this.#emit({ type: 'task-removed', taskId });
    this.#tabs.tell({ type: 'task-removed', taskId });
    await this.#keeper.measure();
  }

  async examplesOf(taskId: string): Promise<ExampleRow[]> {
    this.#require(taskId);
    return [...((await this.#keeper.read('examples', taskId)) ?? [])];
  }

  async setExamples(taskId: string, examples: readonly ExampleRow[]): Promise<DataCheck> {
    const record = this.#require(taskId);
    this.#requireNotTraining(record);
    const before = await this.examplesOf(taskId);
    if (JSON.stringify(before) !== JSON.stringify(examples)) {
      const changed: TaskRecord = {
        ...record,
        exampleCount: examples.length,
        exampleLabels: record.kind === 'classification' ? sortedLabels(examples) : [],
        examplesArePairs: examples.some((example) => pairOf(example) !== undefined),
        run: undefined,
        note:
          record.run?.hasState === true
            ? 'The examples have changed: the training that was paused cannot go on.'
            : undefined,
      };
      await this.#keep(changed, [
        { store: 'examples', key: taskId, value: examples },
        { store: 'states', key: taskId, value: undefined },
      ]);
      await this.#keeper.measure();
    }
    return this.checkExamples(record.kind, examples);
  }

  checkExamples(kind: TaskKind, examples: readonly ExampleRow[]): Promise<DataCheck> {
    const { place } = this.#bench;
    return checkExamples(kind, examples, {
      tokenizer: place?.backbone.tokenizer,
      maxLength: place === undefined ? MOST_TOKENS : maxLengthAt(place),
    });
  }

  async train(taskId: string, options: TrainOptions): Promise<TaskState> {
    const { name } = this.#require(taskId);
    this.#requireIdle();
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const active: ActiveRun = { taskId, controller: new AbortController(), run: undefined, ended };
    this.#active = active;
    let release: (() => void) | undefined;
    try {
      release = await this.#tabs.hold(taskId);
      if (release === undefined) throw trainedElsewhere(name);
      await this.#train(active, options);
    } finally {
      this.#active = undefined;
      const record = this.#records.get(taskId);
      if (record !== undefined) this.#publish(record);
      release?.();
      end();
    }
    return this.#stateOf(this.#require(taskId));
  }

  async pause(taskId: string): Promise<void> {
    if (this.#elsewhere.has(taskId)) return this.#tabs.tell({ type: 'pause', taskId });
    await this.#stop(taskId, new RunPaused());
  }

  async cancel(taskId: string): Promise<void> {
    if (this.#elsewhere.has(taskId)) return this.#tabs.tell({ type: 'cancel', taskId });
    await this.#stop(taskId, new RunCancelled());
    const record = this.#records.get(taskId);
    if (record?.run !== undefined) await this.#forgetRun(record);
  }

  async predict(taskId: string, text: string, pair?: string): Promise<PredictionView> {
    const started = performance.now();
    const input = { text, pair: pair === undefined ? undefined : pairOf({ pair }) };
    const prediction = await this.#bench.use(async (place) => {
      const task = await this.#predictor(place, taskId);
      // Memory for the longest text, not for hundreds: many tasks may be loaded.
      const { maxPositions } = place.backbone.config;
      const [first] = await task.predict([input], { tokenBudget: maxPositions });
      return first;
    });
    if (prediction === undefined) throw new Error('there is no prediction');
    return viewOf(prediction, performance.now() - started);
  }

  async download(taskId: string): Promise<{ readonly fileName: string; readonly zip: Blob }> {
    const { name, trained } = this.#require(taskId);
    const files = await this.#keeper.read('adapters', taskId);
    if (trained === undefined || files === undefined) throw notTrained(name);
    const zip = new Blob([packAdapter(files, trained.backbone)], { type: 'application/zip' });
    return { fileName: `${adapterName(name)}.zip`, zip };
  }

  async upload(given: readonly File[]): Promise<TaskState> {
    const { files, backbone } = await unpackAdapter(given);
    const id = crypto.randomUUID();
    const record = await this.#bench.use(async (place): Promise<TaskRecord> => {
      if (backbone !== undefined && backbone.fingerprint !== place.identity.fingerprint) {
        throw otherBackbone('This adapter', backbone.description);
      }
      const task = await place.backbone.loadTask(files);
      place.tasks.set(id, task);
      return {
        id,
        name: task.name,
        kind: task.kind,
        bottleneck: task.bottleneck,
        created: Date.now(),
        exampleCount: 0,
        exampleLabels: [],
        examplesArePairs: false,
        trained: {
          backbone: place.identity,
          labels: task.labels,
          takesPairs: task.takesPairs,
          byteLength: byteLengthOf(files),
          trainableParameters: task.trainableParameters,
          curves: NO_CURVES,
        },
      };
    });
    await this.#keep(record, [{ store: 'adapters', key: id, value: files }]);
    await this.#keeper.measure();
    return this.#stateOf(record);
  }

  async #readKept(): Promise<void> {
    for (const [id, record] of await this.#keeper.readAll('tasks')) {
      this.#records.set(id, record);
      if (record.run === undefined) continue;
      if (await this.#tabs.isHeld(id)) this.#watch(id);
      else if (!record.run.hasState) this.#records.set(id, { ...record, run: undefined });
    }
    this.#settings = (await this.#keeper.read('settings', SETTINGS_KEY)) ?? this.#settings;
    const { backbone } = this.#settings;
    if (backbone.kind !== 'files') {
      this.#backboneChoice = backbone;
      return;
    }
    const blobs = await this.#keeper.read('backbone-files', SETTINGS_KEY);
    // They may have found no room when they were chosen.
    if (blobs === undefined) return;
    const files = Object.entries(blobs).map(([name, blob]) => new File([blob], name));
    this.#backboneChoice = { kind: 'files', files };
  }

  async #start(): Promise<void> {
    try {
      await Promise.all([
        this.#bench.openDevice(this.#settings.device),
        this.#bench.openBackbone(this.#backboneChoice),
      ]);
    } catch (error) {
      this.#emit({ type: 'backbone-failed', error: engineErrorOf(error) });
    }
  }

  async #train(active: ActiveRun, given: TrainOptions): Promise<void> {
    const { taskId, controller } = active;
    const place = await this.#bench.ready();
    // Another tab may have trained it since this one read it.
    const record = (await this.#keeper.read('tasks', taskId)) ?? this.#require(taskId);
    const examples = await this.examplesOf(taskId);
    const state = await this.#keeper.read('states', taskId);
    const earlier = state === undefined ? undefined : record.run;
    if (earlier !== undefined && earlier.backbone.fingerprint !== place.identity.fingerprint) {
      throw otherBackbone(`The training of ${record.name}`, earlier.backbone.description);
    }
    const options = earlier?.options ?? given;
    const labels = record.kind === 'classification' ? sortedLabels(examples) : [];
    await requireUsable(record.kind, examples, options);
    // Its name may change while it trains.
    const latest = () => this.#records.get(taskId) ?? record;
    const runRecord = (hasState: boolean): RunRecord => ({
      backbone: place.identity,
      options,
      labels,
      progress: run.progress,
      curves: run.curves,
      seconds: run.seconds,
      hasState,
    });
    const run = new TrainingRun(
      this.#bench,
      {
        adapterName: adapterName(record.name),
        kind: record.kind,
        bottleneck: record.bottleneck,
        labels,
        examples,
        options,
        maxLength: maxLengthAt(place),
      },
      {
        state,
        curves: earlier?.curves ?? NO_CURVES,
        seconds: earlier?.seconds ?? 0,
        step: earlier?.progress.step ?? 0,
      },
      {
        step: (loss, progress) => this.#tellStep(taskId, loss, progress),
        changed: () => this.#publish({ ...latest(), run: runRecord(run.state !== undefined) }),
        checkpoint: (bytes) => {
          const value = { ...latest(), run: runRecord(true) };
          this.#records.set(taskId, value);
          return this.#keeper.write([
            { store: 'tasks', key: taskId, value },
            { store: 'states', key: taskId, value: bytes },
          ]);
        },
        moved: (note) => this.#publish({ ...latest(), note }),
      },
      controller.signal,
    );
    if (run.heldOutCount === 0) {
      throw new OptionError('heldOut', 'no example would be held out', 'Raise the share, or add examples');
    }
    active.run = run;
    // What is said of a former run is over.
    await this.#keep({ ...record, note: undefined, run: runRecord(state !== undefined) });
    try {
      const outcome = await run.run();
      await this.#finish({ ...latest(), run: undefined }, outcome, options, run.curves);
    } catch (error) {
      // Going on from shortly before would diverge again.
      const isOver = error instanceof RunCancelled || error instanceof DivergedError;
      if (isOver || run.state === undefined) await this.#forgetRun(latest());
      else {
        await this.#keep({ ...latest(), run: runRecord(true) }, [
          { store: 'states', key: taskId, value: run.state },
        ]);
      }
      if (error instanceof RunCancelled || error instanceof RunPaused) return;
      throw error;
    }
  }

  async #finish(
    record: TaskRecord,
    { task, place, result }: RunOutcome,
    options: TrainOptions,
    curves: Curves,
  ): Promise<void> {
    const files = await task.save();
    const finished: TaskRecord = {
      ...record,
      trained: {
        backbone: place.identity,
        labels: task.labels,
        takesPairs: task.takesPairs,
        byteLength: byteLengthOf(files),
        trainableParameters: task.trainableParameters,
        options,
        curves,
        result,
      },
    };
    await this.#bench.take(async () => {
      place.tasks.get(record.id)?.dispose();
      if (this.#bench.place === place) place.tasks.set(record.id, task);
      else task.dispose();
    });
    await this.#keep(
      finished,
      [
        { store: 'adapters', key: record.id, value: files },
        { store: 'states', key: record.id, value: undefined },
      ],
      { isNewAdapter: true },
    );
    await this.#keeper.measure();
  }

  async #forgetRun(record: TaskRecord): Promise<void> {
    await this.#keep({ ...record, run: undefined, note: undefined }, [
      { store: 'states', key: record.id, value: undefined },
    ]);
  }

  /** What predicts: the task in training as it is, else the adapter that it has. */
  async #predictor(place: Place, taskId: string): Promise<Task> {
    const { name, trained } = this.#require(taskId);
    const inTraining = this.#active?.taskId === taskId ? this.#active.run?.task : undefined;
    if (inTraining !== undefined) return inTraining;
    if (trained === undefined) throw notTrained(name);
    if (trained.backbone.fingerprint !== place.identity.fingerprint) {
      throw otherBackbone(name, trained.backbone.description);
    }
    const loaded = place.tasks.get(taskId);
    if (loaded !== undefined) return loaded;
    const files = await this.#keeper.read('adapters', taskId);
    if (files === undefined) throw notTrained(name);
    const task = await place.backbone.loadTask(files);
    place.tasks.set(taskId, task);
    return task;
  }

  /** Stops the run of this tab, where there is one of that task, and waits for its end. */
  async #stop(taskId: string, reason: Error): Promise<void> {
    if (this.#active?.taskId !== taskId) return;
    this.#active.controller.abort(reason);
    await this.#active.ended;
  }

  /** Frees the task's copy on the device. */
  async #unload(taskId: string): Promise<void> {
    await this.#bench.take(async () => {
      const tasks = this.#bench.place?.tasks;
      tasks?.get(taskId)?.dispose();
      tasks?.delete(taskId);
    });
  }

  #hear(message: TabMessage): void {
    switch (message.type) {
      case 'task': {
        const { record, isTraining, isNewAdapter } = message;
        this.#records.set(record.id, record);
        if (isTraining) this.#watch(record.id);
        else this.#elsewhere.delete(record.id);
        if (isNewAdapter) void this.#unload(record.id);
        this.#emitTask(record);
        return;
      }
      case 'step': {
        const { taskId, progress } = message;
        const record = this.#records.get(taskId);
        if (record?.run === undefined) return;
        this.#records.set(taskId, { ...record, run: { ...record.run, progress } });
        this.#emit(message);
        return;
      }
      case 'task-removed':
        this.#records.delete(message.taskId);
        void this.#unload(message.taskId);
        this.#emit(message);
        return;
      case 'pause':
        void this.#stop(message.taskId, new RunPaused());
        return;
      case 'cancel':
        void this.#stop(message.taskId, new RunCancelled());
        return;
    }
  }

  /** Follows a task that another tab trains until that lets go of it, by whatever end. */
  #watch(taskId: string): void {
    if (this.#elsewhere.has(taskId)) return;
    this.#elsewhere.add(taskId);
    void this.#tabs.whenFree(taskId).then(async () => {
      this.#elsewhere.delete(taskId);
      const record = await this.#keeper.read('tasks', taskId);
      if (record === undefined || this.#active?.taskId === taskId) return;
      const kept = record.run?.hasState === false ? { ...record, run: undefined } : record;
      this.#records.set(taskId, kept);
      this.#emitTask(kept);
    });
  }

  #tellStep(taskId: string, loss: number, progress: RunRecord['progress']): void {
    const message = { type: 'step', taskId, loss, progress } as const;
    this.#emit(message);
    const now = performance.now();
    if (now - this.#toldAt < TELL_MILLISECONDS) return;
    this.#toldAt = now;
    this.#tabs.tell(message);
  }

  async #keep(
    record: TaskRecord,
    changes: readonly Change[] = [],
    { isNewAdapter = false } = {},
  ): Promise<void> {
    this.#publish(record, isNewAdapter);
    await this.#keeper.write([{ store: 'tasks', key: record.id, value: record }, ...changes]);
  }

  /** To this page and other tabs. */
  #publish(record: TaskRecord, isNewAdapter = false): void {
    this.#records.set(record.id, record);
    this.#emitTask(record);
    const isTraining = this.#active?.taskId === record.id;
    this.#tabs.tell({ type: 'task', record, isTraining, isNewAdapter });
  }

  async #keepSettings(settings: Settings, changes: readonly Change[] = []): Promise<void> {
    this.#settings = settings;
    await this.#keeper.write([{ store: 'settings', key: SETTINGS_KEY, value: settings }, ...changes]);
  }

  #emitTask(record: TaskRecord): void {
    this.#emit({ type: 'task', task: this.#stateOf(record) });
  }

  #emit(event: EngineEvent): void {
    this.#listener(event);
  }

  #stateOf(record: TaskRecord): TaskState {
    const isTraining = this.#active?.taskId === record.id || this.#elsewhere.has(record.id);
    return taskStateOf(record, isTraining, this.#bench.place?.identity);
  }

  #sortedRecords(): TaskRecord[] {
    return [...this.#records.values()].sort((a, b) => a.created - b.created);
  }

  #require(taskId: string): TaskRecord {
    const record = this.#records.get(taskId);
    if (record === undefined)
      throw new NotFoundError('there is no such task', 'It was removed, perhaps in another tab');
    return record;
  }

  #requireNotTraining({ id, name }: TaskRecord): void {
    if (this.#elsewhere.has(id)) throw trainedElsewhere(name);
    if (this.#active?.taskId === id)
      throw new BusyError(`${name} is being trained`, 'Pause or cancel it first');
  }

  #requireIdle(): void {
    if (this.#active === undefined) return;
    const name = this.#records.get(this.#active.taskId)?.name ?? 'a task';
    throw new BusyError(`${name} is being trained`, 'Wait for its end, or pause it');
  }
}

/** Throws DataError for the first problem of the examples, OptionError for a share that cannot be held out. */
async function requireUsable(
  kind: TaskKind,
  examples: readonly ExampleRow[],
  { heldOut }: TrainOptions,
): Promise<void> {
  if (!(heldOut > 0 && heldOut < 1)) {
    throw new OptionError('heldOut', `${heldOut} is not between 0 and 1`, 'A fifth, 0.2, is usual');
  }
  const { problems } = await checkExamples(kind, examples, { maxLength: MOST_TOKENS });
  const [first] = problems;
  if (first !== undefined) throw new DataError(undefined, undefined, first.message);
}

function maxLengthAt({ backbone }: Place): number {
  return Math.min(MOST_TOKENS, backbone.config.maxPositions);
}

/** Throws OptionError. */
function checkName(name: string): string {
  const trimmed = name.trim();
  if (trimmed === '') throw new OptionError('name', 'a task needs a name');
  return trimmed.slice(0, 100);
}

/** A task's name as AdapterHub's files and a file's name can hold it. */
function adapterName(name: string): string {
  return name.replace(/[^\p{L}\p{N}_-]+/gu, '-').replace(/^-+|-+$/g, '') || 'task';
}

function viewOf(prediction: Prediction, milliseconds: number): PredictionView {
  if ('value' in prediction) return { kind: 'regression', value: prediction.value, milliseconds };
  const scores = Object.entries(prediction.scores)
    .map(([label, score]) => ({ label, score }))
    .sort((a, b) => b.score - a.score);
  return { kind: 'classification', label: prediction.label, scores, milliseconds };
}

function byteLengthOf(files: Readonly<Record<string, Uint8Array>>): number {
  return Object.values(files).reduce((sum, { length }) => sum + length, 0);
}

function trainedElsewhere(name: string): BusyError {
  return new BusyError(`${name} is being trained in another tab`, 'Pause it there, or wait for its end');
}

function notTrained(name: string): NotReadyError {
  return new NotReadyError(`${name} is not trained yet`, 'Train it first; a paused training can go on');
}

function otherBackbone(what: string, backbone: string): AdapterMismatchError {
  return new AdapterMismatchError(
    `${what} was trained on another backbone, ${backbone}`,
    'Load that one first',
  );
}
