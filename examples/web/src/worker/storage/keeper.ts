import type { StorageState } from '../../engine';
import type { Schema, StoreName } from './schema';
import type { Change, Storage } from './storage';

/** A write that found no room is tried again after this time, or as soon as something is removed. */
const RETRY_MILLISECONDS = 60_000;

/** Changes that belong together and are not in the storage yet. */
interface PendingGroup {
  changes: readonly Change[];
  retryAt: number;
}

type Overlay = { readonly [S in StoreName]: Map<string, Schema[S] | undefined> };

/**
 * A storage whose writes never fail. What cannot be written, because the storage is full or there is none, stays in memory, is read
 * from there and is tried again; `state.note` says so. What was written before stays as it is.
 */
export class Keeper {
  #storage: Storage | undefined;
  readonly #estimate: () => Promise<number | undefined>;
  readonly #onState: (state: StorageState) => void;
  #pending: PendingGroup[] = [];
  /** What is pending, to be read. */
  readonly #overlay: Overlay = {
    tasks: new Map(),
    examples: new Map(),
    adapters: new Map(),
    states: new Map(),
    settings: new Map(),
    'backbone-files': new Map(),
    'device-checks': new Map(),
  };
  #lastWrite: Promise<void> = Promise.resolve();
  #state: StorageState;

  /** @param estimate bytes in use */
  constructor(estimate: () => Promise<number | undefined>, onState: (state: StorageState) => void) {
    this.#estimate = estimate;
    this.#onState = onState;
    this.#state = { available: false, note: NO_STORAGE };
  }

  /** From now on entries are kept there. */
  attach(storage: Storage): void {
    this.#storage = storage;
    this.#setState({ available: true });
  }

  get state(): StorageState {
    return this.#state;
  }

  async read<S extends StoreName>(store: S, key: string): Promise<Schema[S] | undefined> {
    const pending = this.#pendingOf(store);
    return pending.has(key) ? pending.get(key) : this.#storage?.read(store, key);
  }

  async readAll<S extends StoreName>(store: S): Promise<Map<string, Schema[S]>> {
    const entries = (await this.#storage?.readAll(store)) ?? new Map<string, Schema[S]>();
    for (const [key, value] of this.#pendingOf(store)) {
      if (value === undefined) entries.delete(key);
      else entries.set(key, value);
    }
    return entries;
  }

  /** All of the changes or none reach the storage. Resolves when they have, or cannot. */
  write(changes: readonly Change[]): Promise<void> {
    this.#supersede(changes);
    this.#pending.push({ changes, retryAt: 0 });
    for (const change of changes) this.#lay(change);
    if (changes.some(({ value }) => value === undefined)) {
      for (const group of this.#pending) group.retryAt = 0;
    }
    this.#lastWrite = this.#lastWrite.then(() => this.#flush());
    return this.#lastWrite;
  }

  /** Finds out anew how much is in use. */
  async measure(): Promise<StorageState> {
    const usedBytes = await this.#estimate().catch(() => undefined);
    this.#setState({ ...this.#state, usedBytes });
    return this.#state;
  }

  #pendingOf<S extends StoreName>(store: S): Overlay[S] {
    return this.#overlay[store];
  }

  #lay<S extends StoreName>({ store, key, value }: Change<S>): void {
    this.#pendingOf(store).set(key, value);
  }

  /** An entry is pending once at most, so that groups may be written in any order. */
  #supersede(changes: readonly Change[]): void {
    const isReplaced = (old: Change) =>
      changes.some(({ store, key }) => store === old.store && key === old.key);
    for (const group of this.#pending) group.changes = group.changes.filter((old) => !isReplaced(old));
    this.#pending = this.#pending.filter((group) => group.changes.length > 0);
  }

  async #flush(): Promise<void> {
    const storage = this.#storage;
    if (storage === undefined) return;
    let problem: unknown;
    for (const group of [...this.#pending]) {
      if (Date.now() < group.retryAt) continue;
      const { changes } = group;
      try {
        await storage.write(changes);
        // What was superseded meanwhile is no longer in this group.
        for (const { store, key } of group.changes) this.#overlay[store].delete(key);
        this.#pending = this.#pending.filter((other) => other !== group);
      } catch (error) {
        problem ??= error;
        group.retryAt = Date.now() + RETRY_MILLISECONDS;
      }
    }
    const note =
      problem === undefined ? (this.#pending.length === 0 ? undefined : this.#state.note) : noteOf(problem);
    this.#setState({ ...this.#state, note });
  }

  #setState(state: StorageState): void {
    const { note, usedBytes } = this.#state;
    this.#state = state;
    if (note !== state.note || usedBytes !== state.usedBytes) this.#onState(state);
  }
}

const NO_STORAGE =
  'This browser gives the page no storage (a private window, perhaps). Everything works, and is gone when the page is closed: download what you want to keep.';

function noteOf(problem: unknown): string {
  if (problem instanceof DOMException && problem.name === 'QuotaExceededError') {
    return 'The storage that the browser gives this page is full. What was kept stays; what is new is in this page alone. Download it, remove tasks that are not needed, or free space on the disk.';
  }
  const message = problem instanceof Error ? problem.message : String(problem);
  return `The browser's storage failed (${message}). What is new is in this page alone: download it before you close the page.`;
}
