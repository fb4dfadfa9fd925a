/**
 * A download that is not complete yet, beside the file that it will become: `<file>.<owner>.<ETag in base64url>.part`.
 * The owner is the process that writes it, or `free` once that has given up. Taking a part over is a rename, which only
 * one of several processes can win; so no lock is left behind by a process that was killed.
 */
import { type DownloadTarget, isStrongEtag } from './download';
import { nodeModules, systemErrorCode } from './node';
import { writeError } from './write';

export interface PartialFile extends DownloadTarget {
  /** Flushes and closes; returns the path to rename. */
  finish(): Promise<string>;
  /** Closes what was not finished, and leaves it for a later attempt where that could go on from it. */
  release(): Promise<void>;
}

const FREE = 'free';
/** File names may have 255 bytes; a longer ETag only means that the download cannot be resumed. */
const MAX_ETAG_BYTES = 90;

/** Takes over what an earlier attempt at `path` left, else begins with nothing. Throws FileWriteError. */
export async function openPartialFile(path: string): Promise<PartialFile> {
  return (await takeOver(path)) ?? new Part(path);
}

class Part implements PartialFile {
  length = 0;
  etag: string | undefined;
  readonly #path: string;
  #part: string | undefined;
  #handle: import('node:fs/promises').FileHandle | undefined;

  constructor(
    path: string,
    held?: { part: string; etag: string; length: number; handle: import('node:fs/promises').FileHandle },
  ) {
    this.#path = path;
    this.#part = held?.part;
    this.#handle = held?.handle;
    this.etag = held?.etag;
    this.length = held?.length ?? 0;
  }

  async restart(etag: string | undefined): Promise<void> {
    await this.#discard();
    const part = partName(this.#path, newOwner(), etag);
    try {
      this.#handle = await nodeModules().fs.open(part, 'w');
    } catch (error) {
      throw writeError(this.#path, error);
    }
    this.#part = part;
    this.etag = etag;
    this.length = 0;
  }

  async append(bytes: Uint8Array): Promise<void> {
    if (this.#handle === undefined) {
      throw new RangeError('append before restart');
    }
    let done = 0;
    while (done < bytes.length) {
      try {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, this.length);
        done += bytesWritten;
        this.length += bytesWritten;
      } catch (error) {
        throw writeError(this.#path, error);
      }
    }
  }

  async finish(): Promise<string> {
    const part = this.#part;
    if (this.#handle === undefined || part === undefined) {
      throw new RangeError('finish before restart');
    }
    try {
      await this.#handle.sync();
      await this.#handle.close();
    } catch (error) {
      throw writeError(this.#path, error);
    }
    this.#handle = undefined;
    this.#part = undefined;
    return part;
  }

  async release(): Promise<void> {
    const part = this.#part;
    if (part === undefined || this.length === 0 || !isStrongEtag(parsePartName(this.#path, part)?.etag)) {
      await this.#discard();
      return;
    }
    await this.#handle?.close();
    this.#handle = undefined;
    this.#part = undefined;
    const { fs } = nodeModules();
    await fs.rename(part, partName(this.#path, FREE, this.etag)).catch(() => {});
  }

  async #discard(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
    if (this.#part !== undefined) {
      await nodeModules()
        .fs.rm(this.#part, { force: true })
        .catch(() => {});
      this.#part = undefined;
    }
  }
}

function newOwner(): string {
  return `${process.pid}-${crypto.randomUUID().slice(0, 8)}`;
}

function partName(path: string, owner: string, etag: string | undefined): string {
  const bytes = new TextEncoder().encode(etag ?? '');
  const encoded = bytes.length > MAX_ETAG_BYTES ? '' : btoa(String.fromCharCode(...bytes));
  const safe = encoded.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  return `${path}.${owner}.${safe}.part`;
}

/** Owner and ETag of a part of `path`; `undefined` where `candidate` is none that could be resumed. */
function parsePartName(path: string, candidate: string): { owner: string; etag: string } | undefined {
  if (!candidate.startsWith(`${path}.`)) {
    return undefined;
  }
  const match = /^([\w-]+)\.([\w-]+)\.part$/.exec(candidate.slice(path.length + 1));
  const [, owner, safe] = match ?? [];
  if (owner === undefined || safe === undefined) {
    return undefined;
  }
  try {
    const text = atob(safe.replaceAll('-', '+').replaceAll('_', '/'));
    return { owner, etag: new TextDecoder().decode(Uint8Array.from(text, (c) => c.charCodeAt(0))) };
  } catch {
    return undefined;
  }
}

async function takeOver(path: string): Promise<Part | undefined> {
  const { fs, path: paths } = nodeModules();
  const directory = paths.dirname(path);
  for (const name of await fs.readdir(directory).catch(() => [])) {
    const candidate = paths.join(directory, name);
    const parsed = parsePartName(path, candidate);
    if (parsed === undefined || isInUse(parsed.owner)) {
      continue;
    }
    const part = partName(path, newOwner(), parsed.etag);
    try {
      await fs.rename(candidate, part);
      const handle = await fs.open(part, 'r+');
      const { size } = await handle.stat();
      return new Part(path, { part, etag: parsed.etag, length: size, handle });
    } catch {
      // Another process was faster.
    }
  }
  return undefined;
}

/** Whether the process that owns a part may still be writing it. */
function isInUse(owner: string): boolean {
  if (owner === FREE) {
    return false;
  }
  try {
    // Signal 0 only asks whether the process exists.
    process.kill(Number.parseInt(owner, 10), 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) !== 'ESRCH';
  }
}
