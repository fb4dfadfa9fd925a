import { houlsby, type Prediction, type Runtime, type Task } from 'graft-ml';
import type {
  AppState,
  BackboneChoice,
  BackboneState,
  ColumnChoice,
  DataCheck,
  DeviceChoice,
  DeviceState,
  Engine,
  EngineEvent,
  ExampleRow,
  PredictionView,
  TableExamples,
  TableGuess,
  TaskKind,
  TaskSettings,
  TaskState,
  TrainOptions,
} from '../engine';
import { packAdapter, unpackAdapter } from './archive';
import { NO_CURVES } from './curves';
import { checkExamples } from './data/data-check';
import { guessKind, pairOf, sortedLabels } from './data/labels';
import { describeTable, examplesOf, readTable, type Table } from './data/read-table';
import { DeviceSession, type Place } from './device-session';
import { engineErrorOf, NotFoundError, notTrained, otherBackbone, trainedElsewhere } from './errors';
import { requireKnownKind, requireKnownPrediction } from './kinds';
import { adapterName, byteLengthOf, checkName, MOST_TOKENS, maxLengthAt } from './limits';
import { DeviceOpener } from './open-device';
import { throttledProgress } from './progress-events';
import { Keeper } from './storage/keeper';
import { type FilesByName, SETTINGS_KEY, type Settings, type TaskRecord } from './storage/schema';
import type { Change, Storage } from './storage/storage';
import type { Tabs } from './tabs';
import { TaskBook } from './task-book';
import { RunCancelled, RunPaused, Trainings } from './trainings';

export interface EngineParts {
  /** Gives undefined where there is none: nothing survives the page. */
  readonly openStorage: () => Promise<Storage | undefined>;
  readonly tabs: Tabs;
  /** The browser and Graft with their versions: a device is checked once for each. */
  readonly browser: string;
  /** Bytes in use. */
  readonly estimate?: (() => Promise<number | undefined>) | undefined;
  /** Default: the library's. */
  readonly openRuntime?: ((backend: DeviceChoice) => Promise<Runtime>) | undefined;
}

/** Tables that were read and may still be asked for. */
const MOST_TABLES = 4;
/** The paper's middle one. */
const USUAL_BOTTLENECK = 64;

/** Everything behind the page: see the contract in ../engine.ts. */
export class GraftEngine implements Engine {
  readonly #openStorage: EngineParts['openStorage'];
  readonly #keeper: Keeper;
  readonly #tabs: Tabs;
  readonly #session: DeviceSession;
  readonly #book: TaskBook;
  readonly #trainings: Trainings;
  readonly #tables = new Map<string, Table>();
  #settings: Settings = { device: 'auto', backbone: { kind: 'embedded' } };
  #backboneChoice: BackboneChoice = { kind: 'embedded' };
  #listener: (event: EngineEvent) => void = () => undefined;
  #isOpen = false;

  constructor({ openStorage, tabs, browser, estimate, openRuntime }: EngineParts) {
    const emit = (event: EngineEvent) => this.#listener(event);
    this.#openStorage = openStorage;
    this.#tabs = tabs;
    this.#keeper = new Keeper(estimate ?? (async () => undefined), (storage) =>
      emit({ type: 'storage', storage }),
    );
    const opener = new DeviceOpener({
      keeper: this.#keeper,
      browser,
      onCheck: (done, total) => emit({ type: 'checking-device', done, total }),
      open: openRuntime,
    });
    this.#session = new DeviceSession(opener, {
      device: (device) => emit({ type: 'device', device }),
      backbone: (backbone) => {
        emit({ type: 'backbone', backbone });
        this.#book.showAllHere();
      },
      loading: throttledProgress((progress) => emit({ type: 'loading', ...progress })),
    });
    this.#book = new TaskBook({
      keeper: this.#keeper,
      tabs,
      emit,
      backbone: () => this.#session.place?.identity,
      onStale: (taskId) => void this.#unload(taskId),
    });
    this.#trainings = new Trainings({ session: this.#session, book: this.#book, keeper: this.#keeper, tabs });
  }

  async open(listener: (event: EngineEvent) => void): Promise<AppState> {
    this.#listener = listener;
    if (!this.#isOpen) {
      this.#isOpen = true;
      const storage = await this.#openStorage();
      if (storage !== undefined) this.#keeper.attach(storage);
      await this.#book.open();
      await this.#readSettings();
      void this.#start();
    }
    return {
      device: this.#session.device,
      backbone: this.#session.backboneState,
      backboneChoice: this.#backboneChoice,
      tasks: this.#book.states,
      storage: await this.#keeper.measure(),
    };
  }

  async chooseDevice(choice: DeviceChoice): Promise<DeviceState> {
    this.#trainings.requireIdle();
    const state = await this.#session.openDevice(choice);
    await this.#keepSettings({ ...this.#settings, device: choice });
    return state;
  }

  async loadBackbone(choice: BackboneChoice): Promise<BackboneState> {
    this.#trainings.requireIdle();
    const state = await this.#session.openBackbone(choice);
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
    this.#session.cancelLoading();
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

  async createTask({ name, kind, bottleneck = USUAL_BOTTLENECK }: TaskSettings): Promise<TaskState> {
    // Throws for a bottleneck that cannot be.
    houlsby({ bottleneck });
    const record = newRecord(checkName(name), kind, bottleneck);
    await this.#book.keep(record);
    return this.#book.stateOf(record);
  }

  async renameTask(taskId: string, name: string): Promise<TaskState> {
    const record = { ...this.#book.require(taskId), name: checkName(name) };
    await this.#book.keep(record);
    return this.#book.stateOf(record);
  }

  async removeTask(taskId: string): Promise<void> {
    const { name } = this.#book.require(taskId);
    if (this.#book.isTrainedElsewhere(taskId)) throw trainedElsewhere(name);
    await this.#trainings.stop(taskId, new RunCancelled());
    await this.#unload(taskId);
    await this.#book.remove(taskId);
    await this.#keeper.measure();
  }

  async examplesOf(taskId: string): Promise<ExampleRow[]> {
    this.#book.require(taskId);
    return [...((await this.#keeper.read('examples', taskId)) ?? [])];
  }

  async setExamples(taskId: string, examples: readonly ExampleRow[]): Promise<DataCheck> {
    const record = this.#book.require(taskId);
    this.#trainings.requireNotTraining(record);
    const before = await this.examplesOf(taskId);
    if (JSON.stringify(before) !== JSON.stringify(examples)) {
      await this.#book.keep(withExamples(record, examples), [
        { store: 'examples', key: taskId, value: examples },
        { store: 'states', key: taskId, value: undefined },
      ]);
      await this.#keeper.measure();
    }
    return this.checkExamples(record.kind, examples);
  }

  checkExamples(kind: TaskKind, examples: readonly ExampleRow[]): Promise<DataCheck> {
    const backbone = this.#session.place?.backbone;
    return checkExamples(kind, examples, {
      tokenizer: backbone?.tokenizer,
      maxLength: backbone === undefined ? MOST_TOKENS : maxLengthAt(backbone),
    });
  }

  train(taskId: string, options: TrainOptions): Promise<TaskState> {
    return this.#trainings.train(taskId, options);
  }

  async pause(taskId: string): Promise<void> {
    if (this.#book.isTrainedElsewhere(taskId)) this.#tabs.tell({ type: 'pause', taskId });
    else await this.#trainings.stop(taskId, new RunPaused());
  }

  async cancel(taskId: string): Promise<void> {
    if (this.#book.isTrainedElsewhere(taskId)) {
      this.#tabs.tell({ type: 'cancel', taskId });
      return;
    }
    await this.#trainings.stop(taskId, new RunCancelled());
    const record = this.#book.find(taskId);
    if (record?.run !== undefined) await this.#trainings.forgetRun(record);
  }

  async predict(taskId: string, text: string, pair?: string): Promise<PredictionView> {
    const started = performance.now();
    const input = { text, pair: pairOf({ pair }) };
    const prediction = await this.#session.use(async (place) => {
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
    const { name, trained } = this.#book.require(taskId);
    const files = await this.#keeper.read('adapters', taskId);
    if (trained === undefined || files === undefined) throw notTrained(name);
    const zip = new Blob([packAdapter(files, trained.backbone)], { type: 'application/zip' });
    return { fileName: `${adapterName(name)}.zip`, zip };
  }

  async upload(given: readonly File[]): Promise<TaskState> {
    const { files, backbone } = await unpackAdapter(given);
    const record = await this.#session.use(async (place) => {
      if (backbone !== undefined && backbone.fingerprint !== place.identity.fingerprint) {
        throw otherBackbone('This adapter', backbone.description);
      }
      const task = await place.backbone.loadTask(files);
      try {
        const uploaded = uploadedRecord(task, place, files);
        place.tasks.set(uploaded.id, task);
        return uploaded;
      } catch (error) {
        task.dispose();
        throw error;
      }
    });
    await this.#book.keep(record, [{ store: 'adapters', key: record.id, value: files }]);
    await this.#keeper.measure();
    return this.#book.stateOf(record);
  }

  async #readSettings(): Promise<void> {
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

  async #keepSettings(settings: Settings, changes: readonly Change[] = []): Promise<void> {
    this.#settings = settings;
    await this.#keeper.write([{ store: 'settings', key: SETTINGS_KEY, value: settings }, ...changes]);
  }

  /** Opens what was chosen last time. */
  async #start(): Promise<void> {
    try {
      await Promise.all([
        this.#session.openDevice(this.#settings.device),
        this.#session.openBackbone(this.#backboneChoice),
      ]);
    } catch (error) {
      this.#listener({ type: 'backbone-failed', error: engineErrorOf(error) });
    }
  }

  /** What predicts: the task in training as it is, else the adapter that it has. */
  async #predictor(place: Place, taskId: string): Promise<Task> {
    const { name, trained } = this.#book.require(taskId);
    const inTraining = this.#trainings.inTraining(taskId);
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

  /** Frees the task's copy on the device. */
  async #unload(taskId: string): Promise<void> {
    await this.#session.take(async () => {
      const tasks = this.#session.place?.tasks;
      tasks?.get(taskId)?.dispose();
      tasks?.delete(taskId);
    });
  }
}

function newRecord(name: string, kind: TaskKind, bottleneck: number): TaskRecord {
  return {
    id: crypto.randomUUID(),
    name,
    kind,
    bottleneck,
    created: Date.now(),
    exampleCount: 0,
    exampleLabels: [],
    examplesArePairs: false,
  };
}

function uploadedRecord(task: Task, { identity }: Place, files: FilesByName): TaskRecord {
  const { bottleneck } = task.adapter.options;
  return {
    // Of another method it has none, and is trained anew with the usual one.
    ...newRecord(
      checkName(task.name),
      requireKnownKind(task.kind),
      typeof bottleneck === 'number' ? bottleneck : USUAL_BOTTLENECK,
    ),
    trained: {
      backbone: identity,
      labels: task.labels,
      takesPairs: task.takesPairs,
      byteLength: byteLengthOf(files),
      trainableParameters: task.trainableParameters,
      curves: NO_CURVES,
    },
  };
}

/** A run that was paused cannot go on with other examples. */
function withExamples(record: TaskRecord, examples: readonly ExampleRow[]): TaskRecord {
  const { kind, run } = record;
  return {
    ...record,
    exampleCount: examples.length,
    exampleLabels: kind === 'classification' ? sortedLabels(examples) : [],
    examplesArePairs: examples.some((example) => pairOf(example) !== undefined),
    run: undefined,
    note:
      run?.hasState === true
        ? 'The examples have changed: the training that was paused cannot go on.'
        : undefined,
  };
}

function viewOf(given: Prediction, milliseconds: number): PredictionView {
  const prediction = requireKnownPrediction(given);
  if ('value' in prediction) return { kind: 'regression', value: prediction.value, milliseconds };
  const scores = Object.entries(prediction.scores)
    .map(([label, score]) => ({ label, score }))
    .sort((a, b) => b.score - a.score);
  return { kind: 'classification', label: prediction.label, scores, milliseconds };
}
