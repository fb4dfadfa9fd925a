import { DataError } from '../../../index';
import { unknownColumn } from '../columns';
import type { Row, Table, TableOptions } from '../table';
import { type ClassNames, classNamesOf, nameClasses } from './class-names';
import { Budget, readColumn } from './column';
import { type Footer, type RowGroup, readFooter } from './footer';
import { damaged, ParquetProblem } from './problem';
import { assemble, type Cell } from './records';
import { leavesOf, type SchemaNode } from './schema';

/** Rows that are kept in memory at once; ten times the largest of GLUE's sets is a half of it. */
export const MOST_ROWS = 2 ** 23;

export function tooManyRows(file: string): DataError {
  return new DataError(
    file,
    undefined,
    `has more than ${MOST_ROWS} rows`,
    'Read fewer (--limit), or split it',
  );
}

/**
 * The asked columns of an Apache Parquet file (github.com/apache/parquet-format), as the Hub has data sets: texts, numbers, truth
 * values, lists and groups of them; pages of both versions, unpacked or packed by Snappy, gzip, Zstandard or Brotli. Numbers of
 * classes become their names, where the file has those.
 *
 * The file may come from anybody. Nothing of it is believed: every read is within bounds, what is announced is compared with what is
 * there, and how much may be unpacked is limited.
 * @throws DataError naming what is wrong
 */
export function parseParquet(bytes: Uint8Array, file: string, options: TableOptions): Table {
  try {
    return readRows(bytes, file, options);
  } catch (cause) {
    if (!(cause instanceof ParquetProblem)) throw cause;
    throw new DataError(file, undefined, cause.message, cause.hint, { cause });
  }
}

function readRows(bytes: Uint8Array, file: string, { columns, optional = [], limit }: TableOptions): Table {
  const footer = readFooter(bytes);
  const chosen = columns.map((name) => chooseColumn(name, footer, optional, file));
  const budget = new Budget();
  const rows: Row[] = [];
  const most = limit ?? Number.POSITIVE_INFINITY;
  for (const group of footer.rowGroups) {
    if (rows.length >= most) break;
    if (rows.length + group.rows > MOST_ROWS) throw tooManyRows(file);
    const cells = chosen.map((column) => column && readCells(bytes, column, group, budget));
    for (let row = 0; row < group.rows; row++) {
      rows.push({ line: rows.length + 1, cells: cells.map((column) => column?.[row]) });
    }
  }
  const classNames = new Map<string, readonly string[]>();
  for (const column of chosen) {
    if (column?.classes !== undefined && 'names' in column.classes) {
      classNames.set(column.node.name, column.classes.names);
    }
  }
  return { rows: rows.slice(0, limit), classNames };
}

interface ChosenColumn {
  readonly node: SchemaNode;
  readonly classes: ClassNames | undefined;
}

/** By its name, else by its 0-based index. */
function chooseColumn(
  name: string,
  { columns, metadata }: Footer,
  optional: readonly string[],
  file: string,
): ChosenColumn | undefined {
  const index = /^\d{1,6}$/.test(name) ? Number(name) : -1;
  const node = columns.find((column) => column.name === name) ?? columns[index];
  if (node !== undefined) return { node, classes: classNamesOf(metadata.get('huggingface'), node.name) };
  if (optional.includes(name)) return undefined;
  throw unknownColumn(
    name,
    file,
    columns.map((column) => column.name),
  );
}

function readCells(
  bytes: Uint8Array,
  { node, classes }: ChosenColumn,
  group: RowGroup,
  budget: Budget,
): Cell[] {
  const columns = leavesOf(node).map(({ node: place, leaf }) => {
    const chunk = group.chunks[leaf.index];
    if (chunk === undefined) throw damaged('a column is missing in one of its row groups');
    return readColumn(bytes, chunk, place, leaf, budget);
  });
  const cells = assemble(node, columns, group.rows);
  return classes === undefined ? cells : cells.map((cell) => nameClasses(cell, classes));
}
