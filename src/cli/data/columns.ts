import { DataError } from '../../index';
import type { RawRow, Row, TableOptions } from './table';

const MOST_NAMES_SHOWN = 20;

/**
 * Picks the asked columns out of the rows of a delimited file.
 * @throws DataError for a column that is not there (it lists those that are) and for a row of another width.
 */
export function selectColumns(rows: readonly RawRow[], file: string, options: TableOptions): Row[] {
  const [first] = rows;
  if (first === undefined) return [];
  const width = first.cells.length;
  const names = options.header ? first.cells : undefined;
  const indices = options.columns.map((column) => columnIndex(column, names, width, file));
  return rows.slice(options.header ? 1 : 0).map(({ line, cells }) => {
    if (cells.length !== width) {
      throw new DataError(
        file,
        line,
        `has ${count(cells.length, 'column')}, the first line has ${width}`,
        'Every line needs the same columns; a separator inside a text, perhaps?',
      );
    }
    return { line, cells: indices.map((index) => cells[index]) };
  });
}

/** A header's name goes before an index, so that a column called "0" can be named. */
function columnIndex(
  column: string,
  names: readonly string[] | undefined,
  width: number,
  file: string,
): number {
  if (names !== undefined) {
    const named = names.indexOf(column);
    if (named !== -1) {
      if (names.indexOf(column, named + 1) !== -1) {
        throw new DataError(
          file,
          1,
          `has more than one column "${column}"`,
          'Give its 0-based index instead',
        );
      }
      return named;
    }
  }
  const index = /^\d+$/.test(column) ? Number(column) : Number.NaN;
  if (index < width) return index;
  throw unknownColumn(column, file, names ?? width);
}

/** The error for a column that is not there; `known` holds the names, or how many columns there are. */
export function unknownColumn(column: string, file: string, known: readonly string[] | number): DataError {
  if (typeof known !== 'number') {
    const shown = known.slice(0, MOST_NAMES_SHOWN).map((name) => JSON.stringify(name));
    const more = known.length > shown.length ? `, and ${known.length - shown.length} more` : '';
    return new DataError(
      file,
      undefined,
      `has no column "${column}"`,
      `Its columns are ${shown.join(', ')}${more}${known.length === 1 ? oneColumnHint : ''}`,
    );
  }
  const range = known === 1 ? 'its only index is 0' : `the indices are 0 to ${known - 1}`;
  return new DataError(
    file,
    undefined,
    `has no column "${column}"`,
    `Without a header it has ${count(known, 'column')}: ${range}${known === 1 ? oneColumnHint : ''}`,
  );
}

const oneColumnHint =
  '. One column only: is the separator right? .tsv and .txt are split at tabs, .csv at commas';

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
