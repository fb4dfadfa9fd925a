import { CsvError, type InfoRecord, parse } from 'csv-parse/sync';
import { DataError } from '../../index';
import type { RawRow } from './table';

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * Comma-separated values after RFC 4180. Blank lines are skipped.
 * @throws DataError with the line on which the malformed record begins.
 */
export function parseCsv(text: string, file: string): RawRow[] {
  const bytes = Buffer.from(text);
  const lines = new LineCounter(bytes);
  const rows: RawRow[] = [];
  try {
    parse(bytes, {
      // A list, because csv-parse would otherwise settle on the first line's ending, and files mix them.
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      skip_empty_lines: true,
      on_record: (cells: string[], { bytes: end }: InfoRecord) => {
        rows.push({ line: lines.beginning(), cells });
        lines.moveTo(end);
        return null;
      },
    });
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw new DataError(
      file,
      lines.beginning(),
      `is not sound CSV (${cause.message})`,
      'A field with a quote, comma or line break is wrapped in quotes, and quotes inside are doubled',
      { cause },
    );
  }
  return rows;
}

/** Counts lines by byte offset: csv-parse's own count takes a CR LF inside quotes for two. */
class LineCounter {
  readonly #bytes: Uint8Array;
  #offset = 0;
  #line = 1;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The line of the first byte that is no line break, from where the last record ended. */
  beginning(): number {
    while (this.#bytes[this.#offset] === NEWLINE || this.#bytes[this.#offset] === RETURN) {
      this.moveTo(this.#offset + 1);
    }
    return this.#line;
  }

  moveTo(offset: number): void {
    for (; this.#offset < offset; this.#offset++) {
      if (this.#bytes[this.#offset] === NEWLINE) this.#line++;
    }
  }
}
