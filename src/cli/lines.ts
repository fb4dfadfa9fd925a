import { DataError } from '../index';

const NEWLINE = 0x0a;
const RETURN = 0x0d;

export interface Line {
  /** 1-based. */
  readonly number: number;
  readonly text: string;
}

/**
 * The lines of a stream of UTF-8, as they come in; LF or CR LF ends one.
 * @param name for messages: "stdin".
 * @throws DataError with the number of a line that is not UTF-8.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let number = 0;
  const decode = (parts: readonly Uint8Array[]): Line => {
    number++;
    const bytes = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    const end = bytes.at(-1) === RETURN ? bytes.length - 1 : bytes.length;
    try {
      const text = decoder.decode(bytes.subarray(0, end));
      return { number, text: number === 1 && text.startsWith('\ufeff') ? text.slice(1) : text };
    } catch (cause) {
      throw new DataError(name, number, 'is not valid UTF-8', undefined, { cause });
    }
  };
  // The pieces of a line that has not ended yet; joined once, so that a long line is not copied for every chunk.
  let pending: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      pending.push(chunk.subarray(start, end));
      yield decode(pending);
      pending = [];
      start = end + 1;
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
  }
  if (pending.length > 0) yield decode(pending);
}

/** Groups what an iterable gives, so that many short texts are computed at once. */
export async function* inGroups<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let group: T[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length === size) {
      yield group;
      group = [];
    }
  }
  if (group.length > 0) yield group;
}
