/** Activations in a browser's private file system (OPFS), in pages and workers. */
import { FileAccessError, FileWriteError } from '../errors';
import type { ActivationStore } from './activation-store';

const PREFIX = 'graft-activations-';
/** A file is written in one go and not changed any more, so appended rows wait for others until they fill one. */
const CHUNK_BYTES = 8 * 2 ** 20;

/** A new directory of OPFS. Throws FileWriteError where this browser has none, or lets no page write there. */
export async function openActivationOpfs(chunkBytes = CHUNK_BYTES): Promise<ActivationStore> {
  try {
    const root = await navigator.storage.getDirectory();
    await removeForgotten(root);
    const name = `${PREFIX}${crypto.randomUUID()}`;
    const release = await hold(name);
    const directory = await root.getDirectoryHandle(name, { create: true });
    return new ActivationOpfs(root, directory, chunkBytes, release);
  } catch (cause) {
    throw writeError(PREFIX, cause);
  }
}

/** A file, or what will be one: bytes `start` to `end` of all that was appended. */
interface Chunk {
  readonly start: number;
  readonly end: number;
  readonly blob: Blob;
}

/** Positions are offsets in bytes; what was appended at once lies in one chunk. */
class ActivationOpfs implements ActivationStore {
  size = 0;
  readonly #root: FileSystemDirectoryHandle;
  readonly #directory: FileSystemDirectoryHandle;
  readonly #chunkBytes: number;
  readonly #release: () => void;
  readonly #chunks: Chunk[] = [];
  /** Not written yet. */
  #pending: Float32Array<ArrayBuffer>[] = [];
  /** Bytes that are in files. */
  #written = 0;

  constructor(
    root: FileSystemDirectoryHandle,
    directory: FileSystemDirectoryHandle,
    chunkBytes: number,
    release: () => void,
  ) {
    this.#root = root;
    this.#directory = directory;
    this.#chunkBytes = chunkBytes;
    this.#release = release;
  }

  async append(values: Float32Array): Promise<number> {
    const position = this.size;
    this.#pending.push(values.slice());
    this.size += values.byteLength;
    if (this.size - this.#written >= this.#chunkBytes) await this.#writePending();
    return position;
  }

  async read(position: number, into: Float32Array): Promise<void> {
    if (position >= this.#written) {
      this.#readPending(position, into);
      return;
    }
    const chunk = findChunk(this.#chunks, position);
    const from = position - chunk.start;
    let bytes: ArrayBuffer;
    try {
      bytes = await chunk.blob.slice(from, from + into.byteLength).arrayBuffer();
    } catch (cause) {
      throw new FileAccessError(this.#directory.name, 'cannot be read any more', undefined, { cause });
    }
    if (bytes.byteLength !== into.byteLength) {
      throw new FileAccessError(this.#directory.name, `it ends before byte ${position + into.byteLength}`);
    }
    into.set(new Float32Array(bytes));
  }

  async close(): Promise<void> {
    this.#pending = [];
    await this.#root.removeEntry(this.#directory.name, { recursive: true }).catch(() => {});
    this.#release();
  }

  #readPending(position: number, into: Float32Array): void {
    let start = this.#written;
    for (const values of this.#pending) {
      if (start === position) {
        into.set(values);
        return;
      }
      start += values.byteLength;
    }
    throw new FileAccessError(this.#directory.name, `nothing was kept at ${position}`);
  }

  async #writePending(): Promise<void> {
    try {
      const file = await this.#directory.getFileHandle(String(this.#chunks.length), { create: true });
      const stream = await file.createWritable();
      await stream.write(new Blob(this.#pending));
      await stream.close();
      this.#chunks.push({ start: this.#written, end: this.size, blob: await file.getFile() });
    } catch (cause) {
      // Rows that were taken earlier stay in memory, where they can still be read; those at hand are refused.
      const refused = this.#pending.pop();
      this.size -= refused?.byteLength ?? 0;
      throw writeError(this.#directory.name, cause);
    }
    this.#pending = [];
    this.#written = this.size;
  }
}

/** Chunks are in ascending order and without gaps. */
function findChunk(chunks: readonly Chunk[], position: number): Chunk {
  let low = 0;
  let high = chunks.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (position < (chunks[middle]?.end ?? 0)) high = middle;
    else low = middle + 1;
  }
  const chunk = chunks[low];
  if (chunk === undefined) throw new FileAccessError(PREFIX, `nothing was kept at ${position}`);
  return chunk;
}

/** Holds a lock of this name until the function that it returns is called, or the page is closed. */
function hold(name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const isHeld = navigator.locks.request(name, () => new Promise<void>((release) => resolve(release)));
    isHeld.catch(reject);
  });
}

/** Removes what pages left that were closed in the middle of a run: directories whose lock nobody holds. */
async function removeForgotten(root: FileSystemDirectoryHandle): Promise<void> {
  for await (const name of root.keys()) {
    if (!name.startsWith(PREFIX)) continue;
    await navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
      if (lock !== null) await root.removeEntry(name, { recursive: true }).catch(() => {});
    });
  }
}

function writeError(file: string, cause: unknown): FileWriteError {
  const isFull = cause instanceof DOMException && cause.name === 'QuotaExceededError';
  const problem = isFull
    ? 'the browser gives this page no more space'
    : `the browser's private file system cannot be written (${cause instanceof Error ? cause.message : String(cause)})`;
  return new FileWriteError(file, problem, undefined, { cause });
}
