import { extname } from 'node:path';
import { DataError } from '../../index';
import { selectColumns } from './columns';
import { parseCsv } from './csv';
import { dataFiles } from './data-files';
import { decodeUtf8 } from './decode';
import type { HubDataOptions } from './hub';
import { parseJsonl } from './jsonl';
import { MOST_ROWS, parseParquet, tooManyRows } from './parquet/parse';
import type { Row, Table, TableOptions } from './table';
import { parseTsv } from './tsv';

export type Format = 'tsv' | 'csv' | 'jsonl' | 'parquet';

const FORMATS: ReadonlyMap<string, Format> = new Map([
  ['.tsv', 'tsv'],
  ['.txt', 'tsv'],
  ['.csv', 'csv'],
  ['.jsonl', 'jsonl'],
  ['.ndjson', 'jsonl'],
  ['.parquet', 'parquet'],
]);

/** Reads the asked columns of a data file, or of a split of `hub:owner/name`, as `hub` says. The format is told by the name. */
export async function readTable(source: string, options: TableOptions, hub?: HubDataOptions): Promise<Table> {
  const rows: Row[] = [];
  const classNames = new Map<string, readonly string[]>();
  const limit = options.limit ?? Number.POSITIVE_INFINITY;
  for await (const { name, bytes } of dataFiles(source, hub)) {
    const table = parseTable(bytes, name, formatOf(name), { ...options, limit: limit - rows.length });
    if (rows.length + table.rows.length > MOST_ROWS) throw tooManyRows(name);
    for (const row of table.rows) rows.push(row);
    for (const [column, names] of table.classNames) classNames.set(column, names);
    if (rows.length >= limit) break;
  }
  return { rows, classNames };
}

/** The part of `readTable` after the disk; `file` is for messages. */
export function parseTable(bytes: Uint8Array, file: string, format: Format, options: TableOptions): Table {
  const table =
    format === 'parquet' ? parseParquet(bytes, file, options) : parseText(bytes, file, format, options);
  if (table.rows.length > 0) return table;
  const headerOnly = format !== 'parquet' && decodeUtf8(bytes, file).trim() !== '';
  throw new DataError(
    file,
    undefined,
    headerOnly ? 'holds a header and no rows' : 'is empty',
    headerOnly ? 'If its first line is an example, add --no-header' : undefined,
  );
}

function parseText(
  bytes: Uint8Array,
  file: string,
  format: Exclude<Format, 'parquet'>,
  options: TableOptions,
): Table {
  const text = decodeUtf8(bytes, file);
  const rows =
    format === 'jsonl'
      ? parseJsonl(text, file, options)
      : selectColumns(format === 'csv' ? parseCsv(text, file) : parseTsv(text), file, options);
  return { rows: rows.slice(0, options.limit), classNames: new Map() };
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
      'Name it .tsv or .txt (split at tabs), .csv, .jsonl, .ndjson or .parquet',
    );
  }
  return format;
}
