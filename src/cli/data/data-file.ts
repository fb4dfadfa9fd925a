import { readFile } from 'node:fs/promises';
import { accessError } from '../system-error';

/** A file of examples, in memory. */
export interface DataFile {
  /** For messages; its end tells the format. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * The files that `source` names, one after the other: so far the file at that path.
 * @throws FileAccessError where it cannot be read.
 */
export async function* dataFiles(source: string): AsyncGenerator<DataFile> {
  try {
    yield { name: source, bytes: await readFile(source) };
  } catch (cause) {
    throw accessError(source, cause);
  }
}
