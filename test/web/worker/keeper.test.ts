import 'fake-indexeddb/auto';
import { describe, expect, it } from 'vitest';
import type { StorageState } from '../../../examples/web/src/engine';
import { openIndexedDb } from '../../../examples/web/src/worker/storage/indexed-db';
import { Keeper } from '../../../examples/web/src/worker/storage/keeper';
import type { Change, Storage } from '../../../examples/web/src/worker/storage/storage';
import { MemoryStorage } from './support/memory-storage';

const examples = (key: string, text: string): Change => ({
  store: 'examples',
  key,
  value: [{ text, label: 'x' }],
});
const state = (key: string, byte: number): Change => ({
  store: 'states',
  key,
  value: Uint8Array.from([byte]),
});

function keeperOn(storage: Storage | undefined) {
  const states: StorageState[] = [];
  const keeper = new Keeper(
    async () => 7,
    (seen) => states.push(seen),
  );
  if (storage !== undefined) keeper.attach(storage);
  return { keeper, states };
}

describe('a keeper', () => {
  it('without a storage keeps all in memory, and says so', async () => {
    const { keeper } = keeperOn(undefined);
    await keeper.write([examples('a', 'one'), state('a', 1)]);
    await keeper.write([state('a', 2)]);
    expect(await keeper.read('states', 'a')).toEqual(Uint8Array.from([2]));
    expect(await keeper.read('examples', 'a')).toEqual([{ text: 'one', label: 'x' }]);
    await keeper.write([{ store: 'examples', key: 'a', value: undefined }]);
    expect(await keeper.readAll('examples')).toEqual(new Map());
    expect(keeper.state).toMatchObject({ available: false, note: expect.stringContaining('no storage') });
  });

  it('on a full storage loses nothing: neither what is kept nor what is new', async () => {
    const storage = new MemoryStorage();
    const { keeper, states } = keeperOn(storage);
    await keeper.write([examples('a', 'old'), state('a', 1)]);
    storage.full.add('states');
    await keeper.write([examples('a', 'new'), state('a', 2)]);
    // All or nothing: the old entries belong together.
    expect(storage.stores.states.get('a')).toEqual(Uint8Array.from([1]));
    expect(storage.stores.examples.get('a')).toEqual([{ text: 'old', label: 'x' }]);
    expect(await keeper.read('states', 'a')).toEqual(Uint8Array.from([2]));
    expect((await keeper.readAll('examples')).get('a')).toEqual([{ text: 'new', label: 'x' }]);
    expect(keeper.state.note).toContain('full');

    // Something else still finds room, and a newer state takes the place of the one that waits.
    await keeper.write([examples('b', 'other')]);
    expect(storage.stores.examples.has('b')).toBe(true);
    expect(keeper.state.note).toContain('full');
    await keeper.write([state('a', 3)]);

    // Room is made: all that waits is written, and the note goes.
    storage.full.clear();
    await keeper.write([{ store: 'examples', key: 'b', value: undefined }]);
    expect(storage.stores.states.get('a')).toEqual(Uint8Array.from([3]));
    expect(storage.stores.examples.get('a')).toEqual([{ text: 'new', label: 'x' }]);
    expect(storage.stores.examples.has('b')).toBe(false);
    expect(keeper.state.note).toBeUndefined();
    expect(states.map(({ note }) => note !== undefined)).toEqual([false, true, false]);
    expect(await keeper.measure()).toEqual({ available: true, usedBytes: 7, note: undefined });
  });

  it('does not try again at once what found no room', async () => {
    const storage = new MemoryStorage();
    const { keeper } = keeperOn(storage);
    storage.full.add('states');
    await keeper.write([state('a', 1)]);
    const { writes } = storage;
    await keeper.write([examples('b', 'small')]);
    expect(storage.writes).toBe(writes + 1);
  });
});

describe('IndexedDB', () => {
  it('keeps bytes, texts and files, and gives all of a store', async () => {
    const storage = await openIndexedDb('test');
    if (storage === undefined) throw new Error('there is no storage');
    await storage.write([
      examples('a', 'one'),
      examples('b', 'two'),
      state('a', 1),
      { store: 'device-checks', key: 'GPU', value: false },
    ]);
    await storage.write([{ store: 'examples', key: 'b', value: undefined }]);
    const again = await openIndexedDb('test');
    expect(await again?.readAll('examples')).toEqual(new Map([['a', [{ text: 'one', label: 'x' }]]]));
    expect(await again?.read('states', 'a')).toEqual(Uint8Array.from([1]));
    expect(await again?.read('states', 'b')).toBeUndefined();
    expect(await again?.read('device-checks', 'GPU')).toBe(false);
  });

  it('writes all or nothing', async () => {
    const storage = await openIndexedDb('atomic');
    if (storage === undefined) throw new Error('there is no storage');
    await storage.write([examples('a', 'old')]);
    const uncloneable = { store: 'settings', key: 'x', value: { device: () => 'wasm' } };
    // @ts-expect-error A function cannot be cloned, which is what this is about.
    await expect(storage.write([examples('a', 'new'), uncloneable])).rejects.toThrow();
    expect(await storage.read('examples', 'a')).toEqual([{ text: 'old', label: 'x' }]);
  });

  it('that the browser refuses is no storage', async () => {
    const { indexedDB } = globalThis;
    Object.defineProperty(globalThis, 'indexedDB', {
      configurable: true,
      get: () => {
        throw new DOMException('The operation is insecure', 'SecurityError');
      },
    });
    try {
      expect(await openIndexedDb('refused')).toBeUndefined();
    } finally {
      Object.defineProperty(globalThis, 'indexedDB', {
        configurable: true,
        writable: true,
        value: indexedDB,
      });
    }
  });
});
