import { extname } from 'node:path';
import { DataError } from '../../index';
import type { DataFile } from './data-file';
import { dataFiles } from './data-files';
import { decodeUtf8 } from './decode';
import type { HubDataOptions } from './hub';
import { knownFormat, parseTable } from './read-table';
import { spanExample } from './span-example';
import { parseSquad } from './squad';
import type { SpanExample } from './structured-examples';

export interface SpanReadOptions {
  /** The column of the contexts; SQuAD's JSON has none. Default `context`. */
  readonly context?: string | undefined;
  /** Default `question`. */
  readonly question?: string | undefined;
  /** The column of the answers. Default `answers`. */
  readonly answers?: string | undefined;
  /** Takes the first questions only. */
  readonly limit?: number | undefined;
}

/**
 * Reads questions with their contexts and answers: SQuAD's JSON (.json), or rows from JSONL and Parquet, whose answers are a list of
 * `{text, answer_start}`, or `{text: […], answer_start: […]}` as the Hub has them. `answer_start` counts code points.
 * @throws DataError naming file, line and question; FileAccessError where the file cannot be read; as `hubDataFiles` for `hub:owner/name`.
 */
export async function readSpanExamples(
  source: string,
  options: SpanReadOptions = {},
  hub?: HubDataOptions,
): Promise<SpanExample[]> {
  const examples: SpanExample[] = [];
  const limit = options.limit ?? Number.POSITIVE_INFINITY;
  for await (const file of dataFiles(source, hub)) {
    for (const example of parseSpanExamples(file, options)) examples.push(example);
    if (examples.length >= limit) break;
  }
  return examples.slice(0, limit);
}

/** The part of `readSpanExamples` after the disk. */
export function parseSpanExamples({ name, bytes }: DataFile, options: SpanReadOptions = {}): SpanExample[] {
  if (extname(name).toLowerCase() === '.json') {
    const examples = parseSquad(decodeUtf8(bytes, name), name);
    if (examples.length === 0) throw new DataError(name, undefined, 'holds no question');
    return examples;
  }
  const format = knownFormat(name);
  if (format !== 'jsonl' && format !== 'parquet') {
    throw new DataError(
      name,
      undefined,
      'its name tells no format that questions are read from',
      'Name it .json (as SQuAD), .jsonl, .ndjson or .parquet',
    );
  }
  const { context = 'context', question = 'question', answers = 'answers' } = options;
  const columns = [context, question, answers, 'id'];
  const { rows } = parseTable(bytes, name, format, { columns, optional: ['id'], header: true });
  return rows.map(({ line, cells }) =>
    spanExample(
      { context: cells[0], question: cells[1], answers: cells[2], id: cells[3] },
      { file: name, line, name: 'the question' },
    ),
  );
}
