/** One file at a URL of its own. */
import { FileAccessError, OptionError } from '../errors';
import { blobFile } from './blob-file';
import { platformCache } from './cache';
import { openLocalFile } from './directory';
import type { OpenOptions, RandomAccessFile } from './files';
import { nodeModules } from './node';

/**
 * The file at `url`; `undefined` where there is none. A module's own files are `file:` in Node and Deno and `http(s):` in a page;
 * bundlers turn small ones into `data:`.
 * @throws FileAccessError where it cannot be read or fetched, OptionError for another kind of URL
 */
export async function openUrl(
  url: URL,
  name: string,
  { onProgress, signal }: OpenOptions = {},
): Promise<RandomAccessFile | undefined> {
  switch (url.protocol) {
    case 'file:':
      return openLocalFile(nodeModules().url.fileURLToPath(url));
    case 'http:':
    case 'https:':
      return platformCache().open(url.href, { file: name, onProgress, signal });
    case 'data:':
    case 'blob:':
      return blobFile(name, await fetchBlob(url, name, signal));
    default:
      throw new OptionError('source', `${name} is at "${url.href}"`, 'Give an http, https or file URL');
  }
}

async function fetchBlob(url: URL, name: string, signal: AbortSignal | undefined): Promise<Blob> {
  try {
    const response = await fetch(url, { signal: signal ?? null });
    return await response.blob();
  } catch (cause) {
    signal?.throwIfAborted();
    throw new FileAccessError(name, `its ${url.protocol} URL cannot be read`, undefined, { cause });
  }
}
