import { entriesOf, textOf } from '../values';
import { damaged } from './problem';
import type { Cell } from './records';

/** Where a column holds numbers of classes, and how they are called. */
export type ClassNames = { readonly names: readonly string[] } | { readonly items: ClassNames };

/**
 * The class names of a column, where the `datasets` library wrote them: the file's metadata holds under `huggingface` JSON like
 * `{"info": {"features": {"label": {"names": ["no", "yes"], "_type": "ClassLabel"}}}}`; of lists, the feature is nested.
 */
export function classNamesOf(metadata: string | undefined, column: string): ClassNames | undefined {
  if (metadata === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(metadata);
  } catch {
    // It only adds names; the rows are sound without.
    return undefined;
  }
  const features = entriesOf(entriesOf(entriesOf(value)?.get('info'))?.get('features'));
  return fromFeature(features?.get(column), 0);
}

const DEEPEST = 8;

function fromFeature(feature: unknown, depth: number): ClassNames | undefined {
  if (depth > DEEPEST) return undefined;
  // Older versions write a list's feature as a list of one.
  const items = Array.isArray(feature) ? feature[0] : entriesOf(feature)?.get('feature');
  if (items !== undefined) {
    const inner = fromFeature(items, depth + 1);
    return inner === undefined ? undefined : { items: inner };
  }
  const entries = entriesOf(feature);
  const names: unknown = entries?.get('names');
  if (entries?.get('_type') !== 'ClassLabel' || !Array.isArray(names)) return undefined;
  const texts = names.map(textOf).filter((name) => name !== undefined);
  return texts.length === names.length ? { names: texts } : undefined;
}

/** Names in the place of numbers. -1, by which a test set says that it keeps a label to itself, is none. */
export function nameClasses(cell: Cell, classes: ClassNames): Cell {
  if (Array.isArray(cell)) {
    return 'items' in classes ? cell.map((item: Cell) => nameClasses(item, classes.items)) : cell;
  }
  if (typeof cell !== 'number' || !('names' in classes)) return cell;
  if (cell === -1) return null;
  const name = classes.names[cell];
  if (name === undefined) throw damaged(`class ${cell} is none of the ${classes.names.length} that it names`);
  return name;
}
