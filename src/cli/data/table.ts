/** What every reader makes of a file: its rows, with the cells of the asked columns only, and where they stood. */

export interface TableOptions {
  /** The columns wanted: names of the header (JSONL: keys), or 0-based indices. */
  readonly columns: readonly string[];
  /** Those of `columns` that a JSONL or Parquet file may lack altogether; their cells are then undefined. */
  readonly optional?: readonly string[];
  /** Whether the first line names the columns. JSONL has no header and ignores it. */
  readonly header: boolean;
  /** Takes the first rows only. */
  readonly limit?: number | undefined;
}

export interface Table {
  readonly rows: readonly Row[];
  /** Of Parquet's columns that hold classes: the names of all, in the order in which the data set numbers them. */
  readonly classNames: ReadonlyMap<string, readonly string[]>;
}

export interface Row {
  /** 1-based line of the file on which the row begins; of Parquet the row. */
  readonly line: number;
  /** One for each of the asked columns, in their order. TSV and CSV give strings, JSONL and Parquet any JSON value; absent keys `undefined`. */
  readonly cells: readonly unknown[];
}

/** A row of a delimited file before its columns are chosen. */
export interface RawRow {
  readonly line: number;
  readonly cells: readonly string[];
}
