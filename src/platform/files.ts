/** Where a backbone or an adapter is read from. Implementations: a directory, a URL, a hub id, blobs that a page was given. */
export interface FileSource {
  /** For messages: the directory, the URL, the hub id. */
  readonly description: string;
  /** Opens a file by its name inside the source; `undefined` where the source does not hold it. */
  open(name: string, options?: OpenOptions): Promise<RandomAccessFile | undefined>;
}

export interface OpenOptions {
  readonly onProgress?: ((progress: FileProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes of one file that have been loaded so far; `total` is unknown where the server does not say. */
export interface FileProgress {
  readonly file: string;
  readonly loaded: number;
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
  close(): Promise<void>;
}
