/** Activations in a temporary file: Node and Deno. */
import { FileAccessError, FileWriteError } from '../errors';
import type { ActivationStore } from './activation-store';
import { nodeModules, systemErrorText } from './node';

const NO_ROOM = 'Free some space, set TMPDIR to another disk, or do without';

/**
 * A new file in the system's directory for temporary files (TMPDIR). Where the system allows it, and all but Windows do,
 * its name is removed at once: the space is given back when the process ends, however it ends. Throws FileWriteError.
 */
export async function openActivationFile(): Promise<ActivationStore> {
  const { fs, os, path } = nodeModules();
  const file = path.join(os.tmpdir(), `graft-activations-${crypto.randomUUID()}`);
  try {
    const handle = await fs.open(file, 'wx+', 0o600);
    await fs.rm(file).catch(() => {});
    return new ActivationFile(file, handle);
  } catch (cause) {
    throw new FileWriteError(file, `cannot be made: ${systemErrorText(cause)}`, NO_ROOM, { cause });
  }
}

/** Positions are offsets in bytes. */
class ActivationFile implements ActivationStore {
  size = 0;
  readonly #file: string;
  readonly #handle: import('node:fs/promises').FileHandle;

  constructor(file: string, handle: import('node:fs/promises').FileHandle) {
    this.#file = file;
    this.#handle = handle;
  }

  async append(values: Float32Array): Promise<number> {
    const position = this.size;
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    try {
      let done = 0;
      while (done < bytes.length) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, position + done);
        done += bytesWritten;
      }
    } catch (cause) {
      throw new FileWriteError(this.#file, `cannot be written: ${systemErrorText(cause)}`, NO_ROOM, {
        cause,
      });
    }
    this.size += bytes.length;
    return position;
  }

  async read(position: number, into: Float32Array): Promise<void> {
    const bytes = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await this.#handle
        .read(bytes, done, bytes.length - done, position + done)
        .catch((cause: unknown) => {
          throw new FileAccessError(this.#file, `cannot be read: ${systemErrorText(cause)}`, undefined, {
            cause,
          });
        });
      if (bytesRead === 0)
        throw new FileAccessError(this.#file, `it ends before byte ${position + bytes.length}`);
      done += bytesRead;
    }
  }

  async close(): Promise<void> {
    await this.#handle.close().catch(() => {});
    // For where an open file keeps its name.
    await nodeModules()
      .fs.rm(this.#file, { force: true })
      .catch(() => {});
  }
}
