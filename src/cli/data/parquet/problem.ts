/** What is wrong with a Parquet file, before its name is known. `parseParquet` makes a DataError of it. */
export class ParquetProblem extends Error {
  readonly hint: string | undefined;

  constructor(problem: string, hint?: string) {
    super(problem);
    this.hint = hint;
  }
}

/** The file contradicts itself or the format. */
export function damaged(detail: string): ParquetProblem {
  return new ParquetProblem(`is damaged: ${detail}`, 'Fetch or write it again');
}

/** The file is sound, and Graft does not read it. */
export function unsupported(what: string): ParquetProblem {
  return new ParquetProblem(
    `holds ${what}, which Graft does not read`,
    "Write it again with pyarrow's defaults, or as JSONL",
  );
}
