/** Where downloads are kept between runs: a directory in Node and Deno, the Cache API in a browser. */
import { blobFile } from './blob-file';
import { openLocalFile } from './directory';
import { type DownloadOptions, type DownloadResult, download, UnreachableError } from './download';
import type { RandomAccessFile } from './files';
import { MemoryTarget } from './memory-target';
import { environmentVariable, nodeModules } from './node';
import { openPartialFile } from './partial-file';
import { platform } from './platform';
import { moveInto, writeError, writeFileAtomic } from './write';

export interface CacheOptions extends DownloadOptions {
  /** What is at this URL never changes: a copy is used without asking the server. */
  readonly immutable?: boolean;
}

export interface DownloadCache {
  /**
   * The file at `url`: the copy kept here where the server still has its version or cannot be reached, else fetched.
   * `undefined` where the server has no such file. Throws what `download` throws.
   */
  open(url: string, options: CacheOptions): Promise<RandomAccessFile | undefined>;
}

/** The cache of this platform; `directory` is for Node and Deno and defaults to GRAFT_CACHE, else the user's cache directory. */
export function platformCache(directory?: string): DownloadCache {
  return platform.hasFileSystem ? directoryCache(directory ?? cacheDirectory()) : browserCache();
}

/** GRAFT_CACHE, else the user's cache directory. For Node and Deno. */
export function cacheDirectory(): string {
  const { os, path } = nodeModules();
  const userCache = environmentVariable('XDG_CACHE_HOME') ?? path.join(os.homedir(), '.cache');
  return environmentVariable('GRAFT_CACHE') ?? path.join(userCache, 'graft');
}

/** With a copy at hand nobody should wait long for a server that does not answer. */
const REVALIDATION = { retryDelays: [], stallTimeout: 10_000 };

/**
 * `directory/<host>/<path>` holds the file of a URL, and the same name with `.entry.json` its URL, size and version, or that the
 * server has none. Each name appears only when all its bytes are on the disk.
 */
export function directoryCache(directory: string): DownloadCache {
  return {
    open: async (url, options) => {
      const path = cachePath(directory, url);
      const entry = await readEntry(path, url);
      const status = await askServer(entry !== undefined, options, (chosen) =>
        fetchToDisk(url, path, { ...chosen, knownVersion: entry?.version }),
      );
      const isMissing = status === 'missing' || (status === 'unchanged' && entry?.missing === true);
      return isMissing ? undefined : openLocalFile(path);
    },
  };
}

type Status = DownloadResult['status'];

/** After 'complete' the file is at `path`. That the server has none is kept as well, for when it cannot be reached. */
async function fetchToDisk(url: string, path: string, options: DownloadOptions): Promise<Status> {
  const { fs, path: paths } = nodeModules();
  await fs.mkdir(paths.dirname(path), { recursive: true }).catch((error: unknown) => {
    throw writeError(path, error);
  });
  const writeEntry = (entry: object) =>
    writeFileAtomic(entryPath(path), new TextEncoder().encode(JSON.stringify({ url, ...entry })));
  const target = await openPartialFile(path);
  try {
    const result = await download(url, target, options);
    if (result.status === 'complete') {
      const size = target.length;
      await moveInto(await target.finish(), path);
      await writeEntry({ size, version: result.version });
    } else if (result.status === 'missing') {
      await writeEntry({ missing: true });
    }
    return result.status;
  } finally {
    await target.release();
  }
}

/** What is known of a URL. */
interface Entry {
  readonly missing: boolean;
  readonly version: string | undefined;
}

function entryPath(path: string): string {
  return `${path}.entry.json`;
}

/** `undefined` where nothing is known, or the file is not there in full. */
async function readEntry(path: string, url: string): Promise<Entry | undefined> {
  const { fs } = nodeModules();
  try {
    const entry: unknown = JSON.parse(await fs.readFile(entryPath(path), 'utf8'));
    if (typeof entry !== 'object' || entry === null || !('url' in entry) || entry.url !== url) {
      return undefined;
    }
    if ('missing' in entry) {
      return { missing: true, version: undefined };
    }
    const { size } = await fs.stat(path);
    const version = 'version' in entry && typeof entry.version === 'string' ? entry.version : undefined;
    return 'size' in entry && entry.size === size ? { missing: false, version } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Names that every file system takes. Two URLs may share one: the entry says whose it is. One may also be the folder of another, as
 * in an API: a last name without an ending gets one.
 */
function cachePath(directory: string, url: string): string {
  const { host, pathname, search } = new URL(url);
  const segments = `${host}${pathname}${search}`.split('/').filter((segment) => segment !== '');
  const safe = segments.map((segment) => segment.replaceAll(/[^\w.%@+=-]/g, '_'));
  const ending = safe.at(-1)?.includes('.') === true ? '' : '.file';
  return `${nodeModules().path.join(directory, ...safe)}${ending}`;
}

/** The Cache API where there is one; without it, as on a page without TLS, a file is fetched anew each time. */
export function browserCache(): DownloadCache {
  return {
    open: async (url, options) => {
      const storage = await openStorage();
      const kept = await storage?.match(url);
      const target = new MemoryTarget();
      const status = await askServer(kept !== undefined, options, async (chosen) => {
        const knownVersion = kept?.headers.get(VERSION_HEADER) ?? undefined;
        const result = await download(url, target, { ...chosen, knownVersion });
        const version = result.status === 'complete' ? result.version : undefined;
        const headers = version === undefined ? {} : { [VERSION_HEADER]: version };
        // A full or forbidden store only means that the next visit fetches again.
        const keep = (response: Response) => storage?.put(url, response).catch(() => {});
        if (result.status === 'complete') {
          await keep(new Response(target.blob(), { headers }));
        } else if (result.status === 'missing') {
          await keep(new Response(null, { status: 404 }));
        }
        return result.status;
      });
      if (status === 'unchanged' && kept !== undefined) {
        return kept.ok ? blobFile(url, await kept.blob()) : undefined;
      }
      return status === 'missing' ? undefined : blobFile(url, target.blob());
    },
  };
}

const VERSION_HEADER = 'x-graft-version';

export async function openStorage(): Promise<Cache | undefined> {
  try {
    return 'caches' in globalThis ? await caches.open('graft') : undefined;
  } catch {
    return undefined;
  }
}

/** What `fetchFile` finds. Where something is known already, a server that cannot be reached changes nothing about it. */
async function askServer(
  isKnown: boolean,
  options: CacheOptions,
  fetchFile: (options: DownloadOptions) => Promise<Status>,
): Promise<Status> {
  if (!isKnown) {
    return fetchFile(options);
  }
  if (options.immutable === true) {
    return 'unchanged';
  }
  try {
    return await fetchFile({ ...REVALIDATION, ...options });
  } catch (error) {
    if (error instanceof UnreachableError) {
      return 'unchanged';
    }
    throw error;
  }
}
