import { DataError } from '../../index';
import { parseConll } from './conll';
import type { DataFile } from './data-file';
import { dataFiles } from './data-files';
import { decodeUtf8 } from './decode';
import type { HubDataOptions } from './hub';
import { type Format, knownFormat, parseTable } from './read-table';
import type { TokenExample } from './structured-examples';
import type { Row } from './table';
import { idOf, listOf, textOf } from './values';

export interface TokenReadOptions {
  /** The column of the lists of tokens; CoNLL files have none. Default `tokens`. */
  readonly tokens?: string | undefined;
  /** The column of the lists of labels. Default `tags`, else `ner_tags`. */
  readonly tags?: string | undefined;
  /** Takes the first sentences only. */
  readonly limit?: number | undefined;
}

/**
 * Reads labelled tokens: rows with lists from JSONL and Parquet, told by the file's name, and CoNLL columns from any other file.
 * @throws DataError naming file and line; FileAccessError where the file cannot be read; as `hubDataFiles` for `hub:owner/name`.
 */
export async function readTokenExamples(
  source: string,
  options: TokenReadOptions = {},
  hub?: HubDataOptions,
): Promise<TokenExample[]> {
  const examples: TokenExample[] = [];
  const limit = options.limit ?? Number.POSITIVE_INFINITY;
  for await (const file of dataFiles(source, hub)) {
    for (const example of parseTokenExamples(file, options)) examples.push(example);
    if (examples.length >= limit) break;
  }
  return examples.slice(0, limit);
}

/** The part of `readTokenExamples` after the disk. */
export function parseTokenExamples(
  { name, bytes }: DataFile,
  options: TokenReadOptions = {},
): TokenExample[] {
  const format = knownFormat(name);
  if (format === 'jsonl' || format === 'parquet') return fromRows(bytes, name, format, options);
  const examples = parseConll(decodeUtf8(bytes, name), name);
  if (examples.length === 0) throw new DataError(name, undefined, 'holds no sentence');
  return examples;
}

/** What a data set usually calls the column of labels. */
const TAGS = ['tags', 'ner_tags'];

/** Labels that are numbers become their digits; Parquet's class names stand in the place of theirs already. */
function fromRows(
  bytes: Uint8Array,
  file: string,
  format: Format,
  options: TokenReadOptions,
): TokenExample[] {
  const { tokens: tokenColumn = 'tokens', tags } = options;
  const tagColumns = tags === undefined ? TAGS : [tags];
  const optional = [...(tags === undefined ? TAGS : []), 'id'];
  const columns = [tokenColumn, 'id', ...tagColumns];
  const { rows } = parseTable(bytes, file, format, { columns, optional, header: true });
  return rows.map(({ line, cells }) => exampleOf(line, cells, file, tokenColumn, tagColumns));
}

function exampleOf(
  line: number,
  [tokenCell, id, ...tagCells]: Row['cells'],
  file: string,
  tokenColumn: string,
  tagColumns: readonly string[],
): TokenExample {
  const place = { file, line, name: `column "${tokenColumn}"` };
  const tokens = listOf(
    tokenCell,
    (token) => textOf(token) || undefined,
    'a list of tokens, none empty',
    place,
  );
  const tagPlace = { ...place, name: `column ${tagColumns.map((column) => `"${column}"`).join(' or ')}` };
  const tagCell = tagCells.find((cell) => cell !== undefined && cell !== null);
  const labels = listOf(tagCell, labelOf, 'a list of labels, texts or numbers', tagPlace);
  if (tokens.length !== labels.length) {
    throw new DataError(
      file,
      line,
      `has ${tokens.length} tokens and ${labels.length} labels`,
      'Each token needs one',
    );
  }
  if (tokens.length === 0) throw new DataError(file, line, 'has no tokens', 'Delete the line');
  return { line, id: idOf(id), tokens, labels };
}

function labelOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return textOf(value)?.trim() || undefined;
}
