import type {
  BackboneChoice,
  BackboneState,
  DataCheck,
  DeviceState,
  EngineError,
  StorageState,
  TaskState,
  TrainProgress,
} from '../engine';

export interface PageState {
  /** Whether the engine has told what was kept. */
  readonly isOpen: boolean;
  readonly device?: DeviceState | undefined;
  readonly checking?: { readonly done: number; readonly total: number } | undefined;
  readonly backbone?: BackboneState | undefined;
  readonly backboneChoice: BackboneChoice;
  readonly backboneError?: EngineError | undefined;
  readonly loading?:
    | { readonly file: string; readonly loaded: number; readonly total?: number | undefined }
    | undefined;
  /** Oldest first, by id. */
  readonly tasks: ReadonlyMap<string, TaskState>;
  /** Where a training is, more often told than its task. */
  readonly progress: ReadonlyMap<string, TrainProgress>;
  readonly storage?: StorageState | undefined;
  /** The task that is shown; none: the start. */
  readonly selected?: string | undefined;
  /** Of that task's examples, once they are there. */
  readonly check?: DataCheck | undefined;
}

export type Listener = (state: PageState, before: PageState) => void;

/** What the page knows, and who wants to hear of changes. */
export class Store {
  #state: PageState = {
    isOpen: false,
    backboneChoice: { kind: 'embedded' },
    tasks: new Map(),
    progress: new Map(),
  };
  readonly #listeners: Listener[] = [];

  get state(): PageState {
    return this.#state;
  }

  /** The task that is shown. */
  get task(): TaskState | undefined {
    return taskShown(this.#state);
  }

  update(change: Partial<PageState>): void {
    const before = this.#state;
    this.#state = { ...before, ...change };
    for (const listener of this.#listeners) listener(this.#state, before);
  }

  putTask(task: TaskState): void {
    const progress = new Map(this.#state.progress);
    if (task.progress === undefined) progress.delete(task.id);
    else progress.set(task.id, task.progress);
    this.update({ tasks: new Map(this.#state.tasks).set(task.id, task), progress });
  }

  dropTask(taskId: string): void {
    const tasks = new Map(this.#state.tasks);
    tasks.delete(taskId);
    this.update({ tasks });
  }

  subscribe(listener: Listener): void {
    this.#listeners.push(listener);
  }
}

export function taskShown(state: PageState): TaskState | undefined {
  return state.selected === undefined ? undefined : state.tasks.get(state.selected);
}

/** The task that trains, if one does. */
export function taskInTraining(state: PageState): TaskState | undefined {
  return [...state.tasks.values()].find(({ status }) => status === 'training');
}
