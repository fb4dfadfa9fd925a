import { DataError } from 'graft-ml';
import type { ColumnChoice, ExampleRow, TableGuess } from '../../engine';
import { decodeText } from './decode-text';
import { guessColumns, guessHeader } from './guess-columns';
import { type DelimitedRows, parseDelimited } from './parse-delimited';
import { parseJsonl } from './parse-jsonl';

export const MOST_ROWS = 100_000;
const MOST_BYTES = 64 * 2 ** 20;
const PREVIEW_ROWS = 8;
/** Characters that the separator is guessed from. */
const PROBE = 1 << 16;
/** Of the rows that must agree in their number of cells for a separator to be one. */
const AGREEING_SHARE = 0.9;

export interface Table {
  readonly format: TableGuess['format'];
  readonly columns: readonly string[];
  /** As many cells each as there are columns. */
  readonly rows: readonly (readonly string[])[];
}

/** A file or pasted text, of whatever format it is. Throws DataError. */
export async function readTable(source: string | File): Promise<Table> {
  if (typeof source === 'string') return parseTable(source, undefined);
  if (source.size > MOST_BYTES) {
    throw new DataError(
      source.name,
      undefined,
      `has ${source.size} bytes; ${MOST_BYTES} can be read`,
      'Split it',
    );
  }
  const text = decodeText(new Uint8Array(await source.arrayBuffer()), source.name);
  return parseTable(text, source.name);
}

export function parseTable(text: string, file: string | undefined): Table {
  if (text.trim() === '') throw new DataError(file, undefined, 'is empty');
  const table = isJsonl(text, file) ? jsonlTable(text, file) : delimitedTable(text, file);
  if (table.rows.length === 0) throw new DataError(file, undefined, 'holds a header and no rows');
  if (table.rows.length > MOST_ROWS) {
    throw new DataError(file, undefined, `has more than ${MOST_ROWS} rows`, 'Split it, or take a part of it');
  }
  return table;
}

/** What a table says of itself. */
export function describeTable(tableId: string, { format, columns, rows }: Table): TableGuess {
  return {
    tableId,
    format,
    columns,
    preview: rows.slice(0, PREVIEW_ROWS),
    rowCount: rows.length,
    guess: guessColumns(columns, rows),
  };
}

/** Rows without text and label are left out. Throws DataError for a column that is not there. */
export function examplesOf({ columns, rows }: Table, choice: ColumnChoice): ExampleRow[] {
  const indexOf = (column: string) => {
    const index = columns.indexOf(column);
    if (index === -1) {
      throw new DataError(
        undefined,
        undefined,
        `there is no column "${column}"`,
        `The columns are ${columns.join(', ')}`,
      );
    }
    return index;
  };
  const text = indexOf(choice.text);
  const pair = choice.pair === undefined ? undefined : indexOf(choice.pair);
  const label = choice.label === '' ? undefined : indexOf(choice.label);
  const examples = rows.map((row): ExampleRow => {
    const example = { text: row[text] ?? '', label: label === undefined ? '' : (row[label] ?? '').trim() };
    return pair === undefined ? example : { ...example, pair: row[pair] ?? '' };
  });
  return examples.filter((example) => example.text.trim() !== '' || example.label !== '');
}

function isJsonl(text: string, file: string | undefined): boolean {
  return /\.(jsonl|ndjson)$/i.test(file ?? '') || /^\s*\{\s*"/.test(text);
}

function jsonlTable(text: string, file: string | undefined): Table {
  return { format: 'jsonl', ...parseJsonl(text, file, MOST_ROWS + 1) };
}

function delimitedTable(text: string, file: string | undefined): Table {
  const delimiter = guessDelimiter(text, file);
  if (delimiter === undefined) return linesTable(text);
  const parsed = parseWhole(text, file, delimiter);
  const { rows } = parsed;
  const header = guessHeader(rows);
  const width = header ? (rows[0]?.length ?? 0) : Math.max(...rows.map(({ length }) => length));
  const columns = columnNames(header ? (rows[0] ?? []) : [], width);
  const cells = rows.slice(header ? 1 : 0).map((row, index) => {
    if (row.length > width) {
      throw new DataError(
        file,
        parsed.lineOf(index + 1),
        `has ${row.length} columns, the first line has ${width}`,
        'A separator inside a text, perhaps? Wrap such texts in quotes',
      );
    }
    return columns.map((_, column) => row[column] ?? '');
  });
  return { format: delimiter === '\t' ? 'tsv' : 'csv', columns, rows: cells };
}

/** Tabs separate cells with quotes as spreadsheets write them, or without as data sets do, where a quote is a letter. */
function parseWhole(text: string, file: string | undefined, delimiter: string): DelimitedRows {
  // One for the header, one to see that there are too many.
  const options = { delimiter, quotes: true, mostRows: MOST_ROWS + 2 };
  const parsed = parseDelimited(text, file, options);
  if (parsed.error === undefined) return parsed;
  if (delimiter === '\t') {
    const plain = parseDelimited(text, file, { ...options, quotes: false });
    if (plain.error === undefined) return plain;
  }
  throw parsed.error;
}

/** One example a line, without labels. */
function linesTable(text: string): Table {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return { format: 'lines', columns: ['text'], rows: lines.map((line) => [line]) };
}

/** The separator that gives most rows the same number of cells, two at least; undefined where none does. */
function guessDelimiter(text: string, file: string | undefined): string | undefined {
  const candidates = /\.tsv$/i.test(file ?? '') ? ['\t'] : ['\t', ',', ';', '|'];
  const end = text.length <= PROBE ? text.length : text.lastIndexOf('\n', PROBE);
  const probe = text.slice(0, end > 0 ? end : PROBE);
  let best: { readonly delimiter: string; readonly width: number } | undefined;
  for (const delimiter of candidates) {
    // Where the probe is cut inside quotes, the rows before still tell.
    const { rows } = parseDelimited(probe, file, { delimiter, quotes: true, mostRows: 500 });
    const width = mostFrequent(rows.map(({ length }) => length));
    const agreeing = rows.filter(({ length }) => length === width).length;
    if (width < 2 || agreeing < AGREEING_SHARE * rows.length) continue;
    if (delimiter !== '\t' && !/\.csv$/i.test(file ?? '') && isProse(rows)) continue;
    if (best === undefined || width > best.width) best = { delimiter, width };
  }
  if (best === undefined && /\.csv$/i.test(file ?? '')) return ',';
  return best?.delimiter ?? candidates.find((delimiter) => candidates.length === 1 && delimiter === '\t');
}

/** One line, or blanks after most separators: commas between words, not cells. */
function isProse(rows: readonly (readonly string[])[]): boolean {
  const cells = rows.flatMap((row) => row.slice(1));
  return rows.length < 2 || cells.filter((cell) => cell.startsWith(' ')).length > cells.length / 2;
}

function mostFrequent(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 0;
}

/** Each another, none empty. */
function columnNames(header: readonly string[], width: number): string[] {
  const names: string[] = [];
  for (let index = 0; index < width; index++) {
    const given = (header[index] ?? '').trim() || `column ${index + 1}`;
    let name = given;
    for (let copy = 2; names.includes(name); copy++) name = `${given} (${copy})`;
    names.push(name);
  }
  return names;
}
