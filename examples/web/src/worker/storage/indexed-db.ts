import { type IDBPDatabase, openDB } from 'idb';
import { type Schema, STORE_NAMES, type StoreName } from './schema';
import type { Change, Storage } from './storage';

const NAME = 'graft';
const VERSION = 1;

type Tables = { [S in StoreName]: { key: string; value: Schema[S] } };

/** The browser's database; undefined where it gives none, as some do in private windows. */
export async function openIndexedDb(name: string = NAME): Promise<Storage | undefined> {
  const storage = new IndexedDbStorage(name);
  try {
    await storage.connect();
    return storage;
  } catch {
    return undefined;
  }
}

class IndexedDbStorage implements Storage {
  readonly #name: string;
  #database: Promise<IDBPDatabase<Tables>> | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  /** The connection, made anew where the browser has cut it. */
  connect(): Promise<IDBPDatabase<Tables>> {
    this.#database ??= this.#open().catch((error: unknown) => {
      this.#database = undefined;
      throw error;
    });
    return this.#database;
  }

  async read<S extends StoreName>(store: S, key: string): Promise<Schema[S] | undefined> {
    return (await this.connect()).get(store, key);
  }

  async readAll<S extends StoreName>(store: S): Promise<Map<string, Schema[S]>> {
    const database = await this.connect();
    const entries = new Map<string, Schema[S]>();
    for (const key of await database.getAllKeys(store)) {
      const value: Schema[S] | undefined = await database.get(store, key);
      if (value !== undefined) entries.set(key, value);
    }
    return entries;
  }

  async write(changes: readonly Change[]): Promise<void> {
    const stores = [...new Set(changes.map(({ store }) => store))];
    const transaction = (await this.connect()).transaction(stores, 'readwrite');
    const requests: Promise<unknown>[] = [];
    try {
      for (const { store, key, value } of changes) {
        const table = transaction.objectStore(store);
        requests.push(value === undefined ? table.delete(key) : table.put(value, key));
      }
    } catch (error) {
      // What cannot be cloned is refused at once; what was asked for before must not be written either.
      transaction.abort();
      await Promise.allSettled([...requests, transaction.done]);
      throw error;
    }
    // One request's failure aborts the transaction and so fails the others: the transaction knows the reason.
    const [isDone] = await Promise.allSettled([transaction.done, ...requests]);
    if (isDone.status === 'rejected') throw isDone.reason;
  }

  #open(): Promise<IDBPDatabase<Tables>> {
    const forget = () => {
      this.#database = undefined;
    };
    return openDB<Tables>(this.#name, VERSION, {
      upgrade: (database) => {
        for (const store of STORE_NAMES) database.createObjectStore(store);
      },
      // A newer release of this page, in another tab, wants to change the layout: let it.
      blocking: (_current, _blocked, event) => {
        forget();
        if (event.target instanceof IDBDatabase) event.target.close();
      },
      terminated: forget,
    });
  }
}
