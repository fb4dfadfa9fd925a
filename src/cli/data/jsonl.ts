import { DataError } from '../../index';
import { unknownColumn } from './columns';
import type { Row, TableOptions } from './table';

/**
 * One JSON object a line; the columns are its keys. Blank lines are skipped.
 * @throws DataError with the line that is no JSON object, or for a key that no object has.
 */
export function parseJsonl(text: string, file: string, { columns, optional = [] }: TableOptions): Row[] {
  const rows: Row[] = [];
  const keys = new Set<string>();
  let line = 0;
  for (const content of text.split('\n')) {
    line++;
    if (content.trim() === '') continue;
    const object = parseObject(content, file, line);
    for (const key of object.keys()) keys.add(key);
    rows.push({ line, cells: columns.map((column) => object.get(column)) });
  }
  if (rows.length > 0) {
    const missing = columns.find((column) => !keys.has(column) && !optional.includes(column));
    if (missing !== undefined) throw unknownColumn(missing, file, [...keys]);
  }
  return rows;
}

/** A Map, so that a key such as "constructor" finds nothing that the file does not hold. */
function parseObject(content: string, file: string, line: number): Map<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (cause) {
    throw new DataError(file, line, 'is not JSON', 'JSONL holds one JSON object a line', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DataError(file, line, 'is not a JSON object', 'Write {"text": …, "label": …}, one a line');
  }
  return new Map(Object.entries(value));
}
