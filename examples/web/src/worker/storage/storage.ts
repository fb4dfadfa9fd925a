import type { Schema, StoreName } from './schema';

/** One entry that is to be written, or with `undefined` removed. */
export type Change<S extends StoreName = StoreName> = {
  [K in S]: { readonly store: K; readonly key: string; readonly value: Schema[K] | undefined };
}[S];

/** Where entries are kept. */
export interface Storage {
  read<S extends StoreName>(store: S, key: string): Promise<Schema[S] | undefined>;
  readAll<S extends StoreName>(store: S): Promise<Map<string, Schema[S]>>;
  /** All of the changes or none. Throws a DOMException 'QuotaExceededError' where there is no room. */
  write(changes: readonly Change[]): Promise<void>;
}
