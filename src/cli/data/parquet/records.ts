import type { Column } from './column';
import { damaged } from './problem';
import { leavesOf, type SchemaNode } from './schema';
import type { Scalar } from './values';

/** What a cell holds: the same values that JSON has. */
export type Cell = Scalar | null | readonly Cell[] | { readonly [name: string]: Cell };

/**
 * Puts the cells of one top-level column together from the entries of its leaves, row by row (Melnik et al. 2010, "Dremel", section
 * 4.2). Lists are arrays, whichever of the ways of LogicalTypes.md they are written in; groups are objects.
 */
export function assemble(node: SchemaNode, columns: readonly Column[], rows: number): Cell[] {
  const cursors = new Map(
    leavesOf(node).map((entry, index) => {
      const column = columns[index];
      if (column === undefined) throw damaged('a column is missing');
      return [entry.node, new Cursor(column)];
    }),
  );
  const under = (inner: SchemaNode) =>
    leavesOf(inner).map((entry) => cursors.get(entry.node) ?? fail('a column is missing'));
  // Worked out once for each element, not for each row.
  const cursorsOf = new Map<SchemaNode, readonly Cursor[]>();
  const remember = (inner: SchemaNode) => {
    cursorsOf.set(inner, under(inner));
    inner.children.forEach(remember);
  };
  remember(node);

  function first(inner: SchemaNode): Cursor {
    return cursorsOf.get(inner)?.[0] ?? fail('a group has no columns');
  }

  /** Null, or an empty list: one entry in each leaf says so. */
  function skip(inner: SchemaNode): void {
    for (const cursor of cursorsOf.get(inner) ?? []) cursor.skip();
  }

  function read(inner: SchemaNode): Cell {
    if (inner.repetition === 'repeated') return readItems(inner, () => content(inner));
    if (inner.repetition === 'optional' && first(inner).definition < inner.definitionLevel) {
      skip(inner);
      return null;
    }
    return content(inner);
  }

  function content(inner: SchemaNode): Cell {
    if (inner.leaf !== undefined) return first(inner).take(inner.definitionLevel);
    const [only] = inner.children;
    if (inner.isList && inner.children.length === 1 && only?.repetition === 'repeated') {
      const item = itemOf(only, inner.name);
      return readItems(only, () => (item === only ? content(only) : read(item)));
    }
    return Object.fromEntries(inner.children.map((child) => [child.name, read(child)]));
  }

  function readItems(repeated: SchemaNode, readItem: () => Cell): Cell {
    const cursor = first(repeated);
    if (cursor.definition < repeated.definitionLevel) {
      skip(repeated);
      return [];
    }
    const items = [readItem()];
    while (cursor.repetition === repeated.repetitionLevel) items.push(readItem());
    return items;
  }

  const cells = Array.from({ length: rows }, () => {
    const cell = read(node);
    for (const cursor of cursors.values()) {
      if (cursor.repetition !== 0) throw damaged('a row goes on in one column that has ended in another');
    }
    return cell;
  });
  for (const cursor of cursors.values())
    if (!cursor.isAtEnd) throw damaged('a column has more rows than its group');
  return cells;
}

/** The element of which a list's repeated child holds many: its child, or in files of old itself. */
function itemOf(repeated: SchemaNode, listName: string): SchemaNode {
  const [only, ...more] = repeated.children;
  const isItem = repeated.name === 'array' || repeated.name === `${listName}_tuple`;
  return only === undefined || more.length > 0 || isItem ? repeated : only;
}

/** The next entry of a leaf. At the end its levels are 0, as those of a next row's. */
class Cursor {
  readonly #column: Column;
  #entry = 0;
  #value = 0;

  constructor(column: Column) {
    this.#column = column;
  }

  get isAtEnd(): boolean {
    return this.#entry === this.#column.definition.length;
  }

  get definition(): number {
    return this.#column.definition[this.#entry] ?? fail('a column has fewer rows than its group');
  }

  get repetition(): number {
    return this.#column.repetition[this.#entry] ?? 0;
  }

  skip(): void {
    if (this.isAtEnd) fail('a column ends too early');
    this.#entry++;
  }

  /** The value of an entry that has one. */
  take(definitionLevel: number): Scalar {
    if (this.definition !== definitionLevel) throw damaged('a value is missing');
    this.#entry++;
    return this.#column.values[this.#value++] ?? fail('a value is missing');
  }
}

function fail(detail: string): never {
  throw damaged(detail);
}
