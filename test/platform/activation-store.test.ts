import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FileAccessError, FileWriteError } from '../../src/errors';
import { openActivationFile } from '../../src/platform/activation-file';
import { openActivationOpfs } from '../../src/platform/activation-opfs';
import { type ActivationStore, MemoryStore, TieredStore } from '../../src/platform/activation-store';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'graft-store-'));
  vi.stubEnv('TMPDIR', directory);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

/** Rows that tell which they are. */
const rows = (id: number, length: number) => Float32Array.from({ length }, (_, i) => id + i / 1024);

describe.each<[string, () => Promise<ActivationStore>]>([
  ['memory', async () => new MemoryStore(2 ** 30)],
  ['file', openActivationFile],
])('a store in %s', (_, open) => {
  it('gives back what it was given, in any order, at once and again', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(3000), { maxLength: 30 }),
        fc.func(fc.nat()),
        async (lengths, order) => {
          const store = await open();
          const positions: number[] = [];
          for (const [id, length] of lengths.entries()) {
            const given = rows(id, length);
            positions.push(await store.append(given));
            // It keeps a copy.
            given.fill(-1);
          }
          expect(store.size).toBe(lengths.reduce((sum, length) => sum + 4 * length, 0));
          const ids = [...lengths.keys(), ...lengths.keys()].sort((a, b) => order(a) - order(b));
          await Promise.all(
            ids.map(async (id) => {
              const into = new Float32Array(lengths[id] ?? 0);
              await store.read(positions[id] ?? 0, into);
              expect(into).toEqual(rows(id, into.length));
            }),
          );
          await store.close();
        },
      ),
      { numRuns: 30 },
    );
    expect(readdirSync(directory)).toEqual([]);
  });

  it('refuses with a typed error to read what is not there', async () => {
    const store = await open();
    await store.append(rows(0, 8));
    await expect(store.read(64, new Float32Array(8))).rejects.toThrow(FileAccessError);
    await store.close();
    await expect(store.read(0, new Float32Array(8))).rejects.toThrow(FileAccessError);
  });
});

describe('a store in memory', () => {
  it('takes no more than its limit', async () => {
    const store = new MemoryStore(64);
    await store.append(rows(0, 8));
    await store.append(rows(1, 8));
    await expect(store.append(rows(2, 1))).rejects.toThrow(FileWriteError);
    expect(store.size).toBe(64);
  });
});

describe('a store in a file', () => {
  it('has no name in the directory while it is open, so that a killed process leaves none', async () => {
    const store = await openActivationFile();
    await store.append(rows(0, 1000));
    expect(readdirSync(directory)).toEqual([]);
    await store.close();
  });

  it('is a typed error where it cannot be made', async () => {
    vi.stubEnv('TMPDIR', join(directory, 'none'));
    await expect(openActivationFile()).rejects.toThrow(FileWriteError);
    await expect(openActivationFile()).rejects.toThrow(/ENOENT.*TMPDIR/);
  });

  it('is a typed error where the disk is full', async () => {
    // A file of /dev/full: every write fails with ENOSPC.
    const fs = process.getBuiltinModule('node:fs/promises');
    const full = await fs.open('/dev/full', 'r+');
    const open = vi.spyOn(fs, 'open').mockResolvedValueOnce(full);
    const store = await openActivationFile();
    open.mockRestore();
    await expect(store.append(rows(0, 8))).rejects.toThrow(FileWriteError);
    await expect(store.append(rows(0, 8))).rejects.toThrow(/no space left on the disk \(ENOSPC\)/);
    expect(store.size).toBe(0);
    await store.close();
  });
});

/** Fails when it is told to. */
class Fragile extends MemoryStore {
  fails = false;

  override append(values: Float32Array): Promise<number> {
    return this.fails ? Promise.reject(new FileWriteError('disk', 'full')) : super.append(values);
  }

  override read(position: number, into: Float32Array): Promise<void> {
    return this.fails ? Promise.reject(new FileAccessError('disk', 'gone')) : super.read(position, into);
  }
}

describe('a store in tiers', () => {
  it('fills memory, then the disk, then refuses, and says why', async () => {
    const disk = new Fragile(2 ** 20);
    const store = new TieredStore(100, async () => disk);
    const first = await store.append(rows(1, 20));
    expect([store.memoryBytes, store.diskBytes, store.problem]).toEqual([80, 0, undefined]);
    const second = await store.append(rows(2, 20));
    expect([store.memoryBytes, store.diskBytes, store.problem]).toEqual([80, 80, undefined]);
    disk.fails = true;
    expect(await store.append(rows(3, 20))).toBeUndefined();
    expect(store.problem).toBe('disk: full');
    disk.fails = false;
    // Also not what would fit: a run's examples lie where they lie.
    expect(await store.append(rows(3, 1))).toBeUndefined();
    const into = new Float32Array(20);
    for (const [place, id] of [
      [first, 1],
      [second, 2],
    ] as const) {
      if (place === undefined) throw new Error('not kept');
      expect(await store.read(place, into)).toBe(true);
      expect(into).toEqual(rows(id, 20));
    }
    disk.fails = true;
    if (second === undefined) throw new Error('not kept');
    expect(await store.read(second, into)).toBe(false);
    expect(store.problem).toBe('disk: gone');
    await store.close();
  });

  it('does not hide an error that is none of the disk', async () => {
    const store = new TieredStore(0, async () => {
      throw new TypeError('a bug');
    });
    await expect(store.append(rows(0, 1))).rejects.toThrow(TypeError);
  });
});

/** Enough of OPFS and of the locks to run the store outside a browser; the browser's own is in runtimes.test.ts. */
function fakeBrowser(quota: number) {
  const files = new Map<string, Map<string, Blob>>();
  const held = new Set<string>();
  let used = 0;
  const directoryHandle = (name: string, content: Map<string, Blob>) => ({
    name,
    getFileHandle: async (file: string) => ({
      createWritable: async () => ({
        write: async (blob: Blob) => {
          if (used + blob.size > quota) throw new DOMException('no', 'QuotaExceededError');
          used += blob.size;
          content.set(file, blob);
        },
        close: async () => {},
      }),
      getFile: async () => content.get(file),
    }),
  });
  const root = {
    keys: async function* () {
      yield* [...files.keys()];
    },
    removeEntry: async (name: string) => {
      files.delete(name);
    },
    getDirectoryHandle: async (name: string) => {
      const content = new Map<string, Blob>();
      files.set(name, content);
      return directoryHandle(name, content);
    },
  };
  const request = async (
    name: string,
    options: { ifAvailable: boolean } | (() => Promise<void>),
    callback?: (lock: object | null) => Promise<void>,
  ) => {
    if (typeof options === 'function') {
      held.add(name);
      await options();
      held.delete(name);
    } else {
      await callback?.(held.has(name) ? null : {});
    }
  };
  vi.stubGlobal('navigator', { storage: { getDirectory: async () => root }, locks: { request } });
  return { files, held };
}

describe("a store in a browser's private file system", () => {
  afterEach(() => vi.unstubAllGlobals());

  it('gives back what it was given, written or not yet, and removes its directory', async () => {
    const { files, held } = fakeBrowser(2 ** 30);
    files.set('graft-activations-forgotten', new Map());
    files.set('not-ours', new Map());
    const store = await openActivationOpfs(1000);
    expect([...files.keys()].filter((name) => name !== 'not-ours').length).toBe(1);
    expect(files.has('graft-activations-forgotten')).toBe(false);
    const other = await openActivationOpfs(1000);
    expect(files.size).toBe(3);
    const lengths = [100, 1, 149, 250, 7, 500, 30];
    const positions: number[] = [];
    for (const [id, length] of lengths.entries()) positions.push(await store.append(rows(id, length)));
    // 250 numbers fill a chunk, so do the next 250, then 507; 30 wait.
    expect([...files.values()].map((content) => content.size)).toContain(3);
    for (const [id, length] of [...lengths.entries()].reverse()) {
      const into = new Float32Array(length);
      await store.read(positions[id] ?? 0, into);
      expect(into).toEqual(rows(id, length));
    }
    await store.close();
    await other.close();
    await vi.waitFor(() => expect(held.size).toBe(0));
    expect([...files.keys()]).toEqual(['not-ours']);
  });

  it('keeps what it took where the quota ends, and refuses the rest with a typed error', async () => {
    fakeBrowser(1500);
    const store = await openActivationOpfs(1000);
    const positions = [await store.append(rows(0, 250)), await store.append(rows(1, 100))];
    await expect(store.append(rows(2, 250))).rejects.toThrow(FileWriteError);
    await expect(store.append(rows(2, 250))).rejects.toThrow(/no more space/);
    expect(store.size).toBe(1400);
    for (const [id, length] of [250, 100].entries()) {
      const into = new Float32Array(length);
      await store.read(positions[id] ?? 0, into);
      expect(into).toEqual(rows(id, length));
    }
    await store.close();
  });

  it('is a typed error where there is none', async () => {
    vi.stubGlobal('navigator', {});
    await expect(openActivationOpfs()).rejects.toThrow(FileWriteError);
  });
});
