import { DataError } from 'graft-ml';

export interface ParsedObjects {
  /** Keys in the order in which they first come. */
  readonly columns: readonly string[];
  /** A cell a column; '' where an object lacks it. */
  readonly rows: readonly (readonly string[])[];
}

/**
 * One JSON object a line. Blank lines are skipped.
 * @throws DataError with the line that is none, or that holds a list or an object where a text or number belongs
 */
export function parseJsonl(text: string, file: string | undefined, mostRows: number): ParsedObjects {
  const columns: string[] = [];
  const objects: Map<string, string>[] = [];
  for (const [index, content] of text.split('\n').entries()) {
    if (content.trim() === '') continue;
    const line = index + 1;
    const object = parseObject(content, file, line);
    for (const key of object.keys()) if (!columns.includes(key)) columns.push(key);
    if (columns.length > MOST_KEYS)
      throw new DataError(file, line, `has more than ${MOST_KEYS} different keys`);
    objects.push(object);
    if (objects.length >= mostRows) break;
  }
  return { columns, rows: objects.map((object) => columns.map((column) => object.get(column) ?? '')) };
}

const MOST_KEYS = 200;

/** A Map, so that a key such as "constructor" finds nothing that the file does not hold. */
function parseObject(content: string, file: string | undefined, line: number): Map<string, string> {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (cause) {
    throw new DataError(file, line, 'is not JSON', 'JSONL holds one JSON object a line', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DataError(file, line, 'is not a JSON object', 'Write {"text": …, "label": …}, one a line');
  }
  return new Map(Object.entries(value).map(([key, cell]) => [key, cellText(cell, key, file, line)]));
}

function cellText(cell: unknown, key: string, file: string | undefined, line: number): string {
  if (typeof cell === 'string') return cell;
  if (typeof cell === 'number' || typeof cell === 'boolean') return String(cell);
  if (cell === null) return '';
  throw new DataError(
    file,
    line,
    `"${key}" holds ${Array.isArray(cell) ? 'a list' : 'an object'}`,
    'A text, a number or true/false is needed',
  );
}
