/** What every reader makes of a file: its rows, with the cells of the asked columns only, and where they stood. */

export interface TableOptions {
  /** The columns wanted: names of the header (JSONL: keys), or 0-based indices. */
  readonly columns: readonly string[];
  /** Those of `columns` that a JSONL or Parquet file may lack altogether; their cells are then undefined. */
  readonly optional?: readonly string[];
  /** Whether the first line names the columns. JSONL has no header and ignores it. */
  readonly header: boolean;
}

export interface Row {
  /** 1-based line of the file on which the row begins. */
  readonly line: number;
  /** One for each of the asked columns, in their order. TSV and CSV give strings, JSONL any JSON value; absent keys `undefined`. */
  readonly cells: readonly unknown[];
}

/** A row of a delimited file before its columns are chosen. */
export interface RawRow {
  readonly line: number;
  readonly cells: readonly string[];
}
