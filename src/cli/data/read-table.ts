import { extname } from 'node:path';
import { DataError } from '../../index';
import { selectColumns } from './columns';
import { parseCsv } from './csv';
import { dataFiles } from './data-file';
import { decodeUtf8 } from './decode';
import { parseJsonl } from './jsonl';
import type { Row, TableOptions } from './table';
import { parseTsv } from './tsv';

export type Format = 'tsv' | 'csv' | 'jsonl';

const FORMATS: ReadonlyMap<string, Format> = new Map([
  ['.tsv', 'tsv'],
  ['.txt', 'tsv'],
  ['.csv', 'csv'],
  ['.jsonl', 'jsonl'],
  ['.ndjson', 'jsonl'],
]);

/** Reads the asked columns of a data file. Its format is told by its name. */
export async function readTable(source: string, options: TableOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const { name, bytes } of dataFiles(source)) {
    for (const row of parseTable(bytes, name, formatOf(name), options)) rows.push(row);
  }
  return rows;
}

/** The part of `readTable` after the disk; `file` is for messages. */
export function parseTable(bytes: Uint8Array, file: string, format: Format, options: TableOptions): Row[] {
  const text = decodeUtf8(bytes, file);
  const rows =
    format === 'jsonl'
      ? parseJsonl(text, file, options)
      : selectColumns(format === 'csv' ? parseCsv(text, file) : parseTsv(text), file, options);
  if (rows.length === 0) {
    const headerOnly = text.trim() !== '';
    throw new DataError(
      file,
      undefined,
      headerOnly ? 'holds a header and no rows' : 'is empty',
      headerOnly ? 'If its first line is an example, add --no-header' : undefined,
    );
  }
  return rows;
}

/** The format that the file's name tells, if any. */
export function knownFormat(file: string): Format | undefined {
  return FORMATS.get(extname(file).toLowerCase());
}

/** @throws DataError naming the formats there are. */
export function formatOf(file: string): Format {
  const format = knownFormat(file);
  if (format === undefined) {
    throw new DataError(
      file,
      undefined,
      'its name tells no format that Graft reads',
      'Name it .tsv or .txt (split at tabs), .csv, .jsonl or .ndjson',
    );
  }
  return format;
}
