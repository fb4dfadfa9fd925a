import type { Schema, StoreName } from '../../../../examples/web/src/worker/storage/schema';
import type { Change, Storage } from '../../../../examples/web/src/worker/storage/storage';

type Stores = { [S in StoreName]: Map<string, Schema[S]> };

/** A storage in memory that can be full. */
export class MemoryStorage implements Storage {
  readonly stores: Stores;
  /** Stores that take nothing more. */
  readonly full = new Set<StoreName>();
  writes = 0;

  constructor(stores = emptyStores()) {
    this.stores = stores;
  }

  /** As a disk is found after a crash. */
  copy(): MemoryStorage {
    return new MemoryStorage(structuredClone(this.stores));
  }

  async read<S extends StoreName>(store: S, key: string): Promise<Schema[S] | undefined> {
    return structuredClone(this.#of(store).get(key));
  }

  async readAll<S extends StoreName>(store: S): Promise<Map<string, Schema[S]>> {
    return structuredClone(this.#of(store));
  }

  async write(changes: readonly Change[]): Promise<void> {
    this.writes += 1;
    if (changes.some(({ store, value }) => value !== undefined && this.full.has(store))) {
      throw new DOMException('There is no room', 'QuotaExceededError');
    }
    for (const change of changes) this.#apply(change);
  }

  #apply<S extends StoreName>({ store, key, value }: Change<S>): void {
    if (value === undefined) this.#of(store).delete(key);
    else this.#of(store).set(key, structuredClone(value));
  }

  #of<S extends StoreName>(store: S): Stores[S] {
    return this.stores[store];
  }
}

function emptyStores(): Stores {
  return {
    tasks: new Map(),
    examples: new Map(),
    adapters: new Map(),
    states: new Map(),
    settings: new Map(),
    'backbone-files': new Map(),
    'device-checks': new Map(),
  };
}
