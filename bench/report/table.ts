/** What a benchmark hands back: tables of plain numbers and words, for the terminal, the page and JSON alike. */

export type Cell = string | number;

export interface Column<Key extends string = string> {
  readonly key: Key;
  /** The heading, unit included. */
  readonly label: string;
  /** Of numbers, when people read them; JSON has all digits. Default 2. */
  readonly digits?: number;
}

export interface Table<Key extends string = string> {
  /** The part of the suite that it comes from, and its name in JSON. */
  readonly name: string;
  readonly title: string;
  /** What one must know to read it. */
  readonly notes: readonly string[];
  readonly columns: readonly Column<Key>[];
  readonly rows: readonly Readonly<Record<Key, Cell>>[];
}

/** Where a benchmark ran. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** 'Node 20.20.2', or the browser's user agent. */
  readonly runtime: string;
  readonly platform: string;
  readonly backend: string;
  /** The device's own name of itself. */
  readonly device: string;
  /** ISO 8601. */
  readonly date: string;
}

export interface BenchDocument {
  readonly machine: Machine;
  readonly isQuick: boolean;
  readonly tables: readonly Table[];
}

/** Lets the compiler see that every row has every column. */
export function defineTable<Key extends string>(table: Table<Key>): Table {
  return table;
}

/** A cell as people read it; text to the left, numbers to the right. */
export function showCell(cell: Cell | undefined, { digits = 2 }: Pick<Column, 'digits'>): string {
  if (typeof cell !== 'number') return cell ?? '';
  return cell.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
