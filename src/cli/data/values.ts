import { DataError } from '../../index';

/** Where a value stood, for messages. */
export interface Place {
  readonly file: string;
  /** Undefined where a line would tell nothing. */
  readonly line: number | undefined;
  /** The column, the question. */
  readonly name: string;
}

/** A list whose items `convert` all takes; it gives undefined for what it does not. `what` says what is needed. */
export function listOf<T>(
  value: unknown,
  convert: (item: unknown) => T | undefined,
  what: string,
  { file, line, name }: Place,
): T[] {
  const wrong = (found: string) => new DataError(file, line, `${name} holds ${found}`, `It must be ${what}`);
  if (!Array.isArray(value)) throw wrong(describe(value));
  return value.map((item: unknown, index) => {
    const converted = convert(item);
    if (converted === undefined) throw wrong(`${describe(item)} at place ${index + 1}`);
    return converted;
  });
}

/** The entries of an object; a Map, so that a key such as "constructor" finds nothing that the file does not hold. */
export function entriesOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? new Map<string, unknown>(Object.entries(value))
    : undefined;
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A name of a row, where it has one. */
export function idOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** What kind of value it is, in words. */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string') return value.trim() === '' ? 'an empty text' : 'a text';
  return `${value}`;
}
