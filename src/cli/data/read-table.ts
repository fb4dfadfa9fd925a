import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { DataError } from '../../index';
import { accessError } from '../system-error';
import { selectColumns } from './columns';
import { parseCsv } from './csv';
import { decodeUtf8 } from './decode';
import { parseJsonl } from './jsonl';
import type { Row, TableOptions } from './table';
import { parseTsv } from './tsv';

type Format = 'tsv' | 'csv' | 'jsonl';

const FORMATS: ReadonlyMap<string, Format> = new Map([
  ['.tsv', 'tsv'],
  ['.txt', 'tsv'],
  ['.csv', 'csv'],
  ['.jsonl', 'jsonl'],
  ['.ndjson', 'jsonl'],
]);

/** Reads the asked columns of a data file. Its format is told by its name. */
export async function readTable(file: string, options: TableOptions): Promise<Row[]> {
  const format = formatOf(file);
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw accessError(file, cause);
  }
  return parseTable(bytes, file, format, options);
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

/** @throws DataError naming the formats there are. */
export function formatOf(file: string): Format {
  const format = FORMATS.get(extname(file).toLowerCase());
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
