/** What the readers of structured tasks give: rows that are more than a text and its label. */

/** A sentence in tokens, each with its label: `B-person`, `O`. */
export interface TokenExample {
  /** Where it begins in the file: 1-based line, of Parquet row. */
  readonly line: number;
  /** What the file calls it, if anything. */
  readonly id: string | undefined;
  readonly tokens: readonly string[];
  /** As many as tokens. */
  readonly labels: readonly string[];
}

/** A part of a context. */
export interface SpanAnswer {
  readonly text: string;
  /** Where it begins in the context, in UTF-16 units, as JavaScript counts: `context.startsWith(text, start)`. */
  readonly start: number;
}

/** A question with the answers that its context holds. */
export interface SpanExample {
  /** 1-based line, of Parquet row; undefined in SQuAD's JSON, where `id` tells more. */
  readonly line: number | undefined;
  /** What the file calls the question, if anything. */
  readonly id: string | undefined;
  readonly context: string;
  readonly question: string;
  /** Empty where the context does not answer the question. */
  readonly answers: readonly SpanAnswer[];
}
