import type { EngineEvent, TaskState, TrainProgress } from '../engine';
import { NotFoundError } from './errors';
import type { Keeper } from './storage/keeper';
import type { BackboneIdentity, TaskRecord } from './storage/schema';
import type { Change } from './storage/storage';
import type { TabMessage, Tabs } from './tabs';
import { taskStateOf } from './task-state';

/** Steps are told to other tabs no more often than this. */
const TELL_MILLISECONDS = 250;

export interface TaskBookOptions {
  readonly keeper: Keeper;
  readonly tabs: Tabs;
  readonly emit: (event: EngineEvent) => void;
  /** The backbone at hand. */
  readonly backbone: () => BackboneIdentity | undefined;
  /** Copies of the task's adapter are out of date. */
  readonly onStale: (taskId: string) => void;
}

/** All tasks: in memory, in the storage, on the page and in other tabs, which are told of every change. */
export class TaskBook {
  readonly #options: TaskBookOptions;
  readonly #records = new Map<string, TaskRecord>();
  /** Tasks that another tab trains. */
  readonly #elsewhere = new Set<string>();
  /** The task that this tab trains. */
  #trainedHere: string | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(options: TaskBookOptions) {
    this.#options = options;
  }

  /** Reads what was kept, and from now on hears other tabs. */
  async open(): Promise<void> {
    const { keeper, tabs } = this.#options;
    for (const [id, record] of await keeper.readAll('tasks')) {
      this.#records.set(id, record);
      if (record.run === undefined) continue;
      if (await tabs.isHeld(id)) this.#watch(id);
      else this.#records.set(id, withoutEmptyRun(record));
    }
    tabs.listen((message) => this.#hear(message));
  }

  get states(): TaskState[] {
    return [...this.#records.values()]
      .sort((a, b) => a.created - b.created)
      .map((record) => this.stateOf(record));
  }

  stateOf(record: TaskRecord): TaskState {
    const isTraining = this.#trainedHere === record.id || this.#elsewhere.has(record.id);
    return taskStateOf(record, isTraining, this.#options.backbone());
  }

  find(taskId: string): TaskRecord | undefined {
    return this.#records.get(taskId);
  }

  /** Throws NotFoundError. */
  require(taskId: string): TaskRecord {
    const record = this.#records.get(taskId);
    if (record !== undefined) return record;
    throw new NotFoundError('there is no such task', 'It was removed, perhaps in another tab');
  }

  isTrainedElsewhere(taskId: string): boolean {
    return this.#elsewhere.has(taskId);
  }

  /** Which task this tab trains. Told with the task's next change. */
  setTrainedHere(taskId: string | undefined): void {
    this.#trainedHere = taskId;
  }

  /** Shows a record, here and in other tabs, and keeps it, together with other changes. */
  async keep(
    record: TaskRecord,
    changes: readonly Change[] = [],
    options: { readonly isNewAdapter?: boolean } = {},
  ): Promise<void> {
    this.show(record, options);
    await this.#options.keeper.write([{ store: 'tasks', key: record.id, value: record }, ...changes]);
  }

  /** Keeps a record without a word. */
  async keepQuietly(record: TaskRecord, changes: readonly Change[]): Promise<void> {
    this.#records.set(record.id, record);
    await this.#options.keeper.write([{ store: 'tasks', key: record.id, value: record }, ...changes]);
  }

  /** Shows a record without keeping it. */
  show(record: TaskRecord, { isNewAdapter = false }: { readonly isNewAdapter?: boolean } = {}): void {
    this.#records.set(record.id, record);
    this.#emitTask(record);
    const isTraining = this.#trainedHere === record.id;
    this.#options.tabs.tell({ type: 'task', record, isTraining, isNewAdapter });
  }

  /** Shows all tasks to this page: whether they fit has changed. */
  showAllHere(): void {
    for (const record of this.#records.values()) this.#emitTask(record);
  }

  tellStep(taskId: string, loss: number, progress: TrainProgress): void {
    const message = { type: 'step', taskId, loss, progress } as const;
    this.#options.emit(message);
    const now = performance.now();
    if (now - this.#toldAt < TELL_MILLISECONDS) return;
    this.#toldAt = now;
    this.#options.tabs.tell(message);
  }

  /** Removes a task and everything of it. */
  async remove(taskId: string): Promise<void> {
    const { keeper, emit, tabs } = this.#options;
    this.#records.delete(taskId);
    await keeper.write(
      (['tasks', 'examples', 'adapters', 'states'] as const).map(
        (store): Change => ({ store, key: taskId, value: undefined }),
      ),
    );
    emit({ type: 'task-removed', taskId });
    tabs.tell({ type: 'task-removed', taskId });
  }

  #hear(message: TabMessage): void {
    const { emit, onStale } = this.#options;
    if (message.type === 'task') {
      const { record, isTraining, isNewAdapter } = message;
      this.#records.set(record.id, record);
      if (isTraining) this.#watch(record.id);
      else this.#elsewhere.delete(record.id);
      if (isNewAdapter) onStale(record.id);
      this.#emitTask(record);
    } else if (message.type === 'step') {
      const record = this.#records.get(message.taskId);
      if (record?.run === undefined) return;
      this.#records.set(record.id, { ...record, run: { ...record.run, progress: message.progress } });
      emit(message);
    } else if (message.type === 'task-removed') {
      this.#records.delete(message.taskId);
      onStale(message.taskId);
      emit(message);
    }
  }

  /** Follows a task that another tab trains until that lets go of it, by whatever end. */
  #watch(taskId: string): void {
    if (this.#elsewhere.has(taskId)) return;
    this.#elsewhere.add(taskId);
    this.#whenLetGo(taskId).catch(() => {
      // A storage or a browser that fails here leaves the page as it is.
    });
  }

  async #whenLetGo(taskId: string): Promise<void> {
    const { tabs, keeper } = this.#options;
    await tabs.whenFree(taskId);
    this.#elsewhere.delete(taskId);
    const record = await keeper.read('tasks', taskId);
    if (record === undefined || this.#trainedHere === taskId) return;
    const kept = withoutEmptyRun(record);
    this.#records.set(taskId, kept);
    this.#emitTask(kept);
  }

  #emitTask(record: TaskRecord): void {
    this.#options.emit({ type: 'task', task: this.stateOf(record) });
  }
}

/** A run that ended before its first checkpoint has nothing to go on with. */
function withoutEmptyRun(record: TaskRecord): TaskRecord {
  return record.run?.hasState === false ? { ...record, run: undefined } : record;
}
