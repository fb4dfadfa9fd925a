import { FileAccessError, FileFormatError } from '../errors';

/** Far above any configuration, index or vocabulary, so that only a wrong file is refused. */
const MAX_SMALL_FILE_BYTES = 64 * 1024 * 1024;

/** Where a backbone or an adapter is read from. Implementations: a directory, a URL, a hub id, blobs that a page was given. */
export interface FileSource {
  /** For messages: the directory, the URL, the hub id. */
  readonly description: string;
  /** Opens a file by its name inside the source; `undefined` where the source does not hold it. */
  open(name: string, options?: OpenOptions): Promise<RandomAccessFile | undefined>;
}

/** For everything that fetches files. */
export interface OpenOptions {
  /** Called while files are fetched. */
  readonly onProgress?: ((progress: FileProgress) => void) | undefined;
  /** Cancels; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Bytes of one file that have been loaded so far; `total` is unknown where the server does not say. */
export interface FileProgress {
  /** Its name inside the source. */
  readonly file: string;
  /** In bytes. */
  readonly loaded: number;
  /** In bytes. */
  readonly total: number | undefined;
}

/** A file that can be read in pieces, so that a checkpoint is never held in memory as a whole. */
export interface RandomAccessFile {
  /** For messages: the full path or URL. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`; throws FileAccessError where the file ends before that. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Gives back what it holds open. */
  close(): Promise<void>;
}

/** Whether `name` can only be a file directly inside its source: no folder, no way up, no control characters. */
export function isPlainFileName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused.
  return name !== '' && name !== '.' && name !== '..' && !/[/\\:\u0000-\u001f]/.test(name);
}

/** A whole small file with the name to use in messages; `undefined` where `source` does not hold it. */
export async function readFile(
  source: FileSource,
  name: string,
  options: OpenOptions = {},
): Promise<{ readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> } | undefined> {
  const file = await source.open(name, options);
  if (file === undefined) {
    return undefined;
  }
  try {
    if (file.size > MAX_SMALL_FILE_BYTES) {
      throw new FileFormatError(
        file.name,
        undefined,
        `${file.size} bytes are too many for such a file: ${MAX_SMALL_FILE_BYTES} at most`,
      );
    }
    return { name: file.name, bytes: await file.read(0, file.size) };
  } finally {
    await file.close();
  }
}

/** The error of a read past the end. */
export function endsBefore(
  file: { readonly name: string; readonly size: number },
  end: number,
): FileAccessError {
  return new FileAccessError(
    file.name,
    `it ends before byte ${end}; it has, or had when it was opened, ${file.size}`,
  );
}
