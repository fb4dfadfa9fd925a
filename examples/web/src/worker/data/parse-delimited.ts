import { CsvError, type InfoRecord, type Options, parse } from 'csv-parse/browser/esm/sync';
import { DataError } from 'graft-ml';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
/** An open quote swallows the rest of a file: no example is as long as this. */
const LONGEST_RECORD = 1_000_000;

export interface DelimitedOptions {
  readonly delimiter: string;
  /** Whether quotes wrap cells. */
  readonly quotes: boolean;
  /** More rows than this are not read. */
  readonly mostRows: number;
}

export interface DelimitedRows {
  readonly rows: readonly (readonly string[])[];
  /** 1-based line on which a row begins. */
  lineOf(row: number): number;
  /** Where the text is not sound; the rows before are there all the same. */
  readonly error: DataError | undefined;
}

/** Rows of a CSV (RFC 4180) or TSV text. Blank lines are skipped. */
export function parseDelimited(
  text: string,
  file: string | undefined,
  { delimiter, quotes, mostRows }: DelimitedOptions,
): DelimitedRows {
  const rows: string[][] = [];
  /** Where each row ends, in bytes of UTF-8. */
  const ends: number[] = [];
  const lineOf = (row: number) => lineAfter(text, ends[row - 1] ?? 0);
  const options: Options = {
    delimiter,
    quote: quotes ? '"' : null,
    // A list, because csv-parse would otherwise settle on the first line's ending, and files mix them.
    record_delimiter: ['\r\n', '\n'],
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: LONGEST_RECORD,
    to: mostRows,
    on_record: (cells: string[], { bytes }: InfoRecord) => {
      rows.push(cells);
      ends.push(bytes);
      return null;
    },
  };
  try {
    parse(text, options);
    return { rows, lineOf, error: undefined };
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const error = new DataError(
      file,
      lineOf(rows.length),
      `is not sound CSV (${cause.message})`,
      'A field with a quote, separator or line break is wrapped in quotes, and quotes inside are doubled',
      { cause },
    );
    return { rows, lineOf, error };
  }
}

/** The line of the first byte from `offset` on that is no line break. csv-parse's own count takes a CR LF in quotes for two. */
function lineAfter(text: string, offset: number): number {
  const bytes = new TextEncoder().encode(text);
  let end = offset;
  while (bytes[end] === NEWLINE || bytes[end] === RETURN) end += 1;
  let line = 1;
  for (let i = 0; i < end; i++) if (bytes[i] === NEWLINE) line += 1;
  return line;
}
