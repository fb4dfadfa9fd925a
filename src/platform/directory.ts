/** Files of a local directory, in Node and Deno. */
import { FileAccessError } from '../errors';
import { endsBefore, type FileSource, type RandomAccessFile } from './files';
import { nodeModules, systemErrorCode, systemErrorText } from './node';

/** Most bytes in one read: Node refuses reads of 2 GiB and more. */
const MAX_READ_BYTES = 1 << 30;

/** The files directly inside the directory `path`. */
export function directorySource(path: string): FileSource {
  const { path: paths } = nodeModules();
  return {
    description: path,
    open: (name) => openLocalFile(paths.join(path, name)),
  };
}

/** `undefined` where there is no such file; FileAccessError where it cannot be read. */
export async function openLocalFile(path: string): Promise<RandomAccessFile | undefined> {
  const { fs } = nodeModules();
  try {
    const handle = await fs.open(path, 'r');
    try {
      const status = await handle.stat();
      if (!status.isFile()) {
        throw new FileAccessError(path, 'not a regular file');
      }
      return new LocalFile(path, status.size, handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return undefined;
    }
    throw error instanceof FileAccessError ? error : accessError(path, error);
  }
}

class LocalFile implements RandomAccessFile {
  readonly name: string;
  readonly size: number;
  readonly #handle: import('node:fs/promises').FileHandle;

  constructor(name: string, size: number, handle: import('node:fs/promises').FileHandle) {
    this.name = name;
    this.size = size;
    this.#handle = handle;
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    // Before any allocation: a length from a damaged file may be anything.
    if (offset + length > this.size) {
      throw endsBefore(this, offset + length);
    }
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.#handle
        .read(bytes, done, Math.min(length - done, MAX_READ_BYTES), offset + done)
        .catch((error: unknown) => {
          throw accessError(this.name, error);
        });
      if (bytesRead === 0) {
        throw endsBefore(this, offset + length);
      }
      done += bytesRead;
    }
    return bytes;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

function accessError(path: string, cause: unknown): FileAccessError {
  return new FileAccessError(path, `cannot be read: ${systemErrorText(cause)}`, undefined, { cause });
}
