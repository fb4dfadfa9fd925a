import { DataError, type Example, type TaskKind } from '../../index';
import { parseDecimal } from '../number';
import type { HubDataOptions } from './hub';
import { readTable } from './read-table';
import type { Row } from './table';

/** Which columns hold what; see `TableOptions`. */
export interface ColumnChoice {
  readonly text: string;
  readonly textPair?: string | undefined;
  readonly label: string;
  /** Between the labels of a multi-label cell. Default '|'. */
  readonly labelSeparator?: string | undefined;
  readonly header: boolean;
}

export interface ReadOptions extends ColumnChoice {
  readonly kind: TaskKind;
  /** Takes the first rows only. */
  readonly limit?: number | undefined;
  /** The labels a task knows: any other is an error. Without it, whatever stands in the file. */
  readonly knownLabels?: readonly string[] | undefined;
}

/** What a file of labelled examples holds. */
export interface LabelledData {
  readonly examples: Example[];
  /** The labels in the order in which the data set itself numbers them; undefined where it does not. */
  readonly classNames: readonly string[] | undefined;
}

/**
 * Reads labelled examples from a TSV, CSV, JSONL or Parquet file, or a split of `hub:owner/name`, as `hub` says.
 * @throws DataError naming file and line; FileAccessError where the file cannot be read; as `hubDataFiles`.
 */
export async function readLabelledData(
  source: string,
  options: ReadOptions,
  hub?: HubDataOptions,
): Promise<LabelledData> {
  const columns = [options.text, options.label];
  if (options.textPair !== undefined) columns.push(options.textPair);
  const { header, limit } = options;
  const { rows, classNames } = await readTable(source, { columns, header, limit }, hub);
  return { examples: examplesFromRows(rows, source, options), classNames: classNames.get(options.label) };
}

/** The examples of `readLabelledData` alone. */
export async function readExamples(
  source: string,
  options: ReadOptions,
  hub?: HubDataOptions,
): Promise<Example[]> {
  return (await readLabelledData(source, options, hub)).examples;
}

/** `rows` hold text, label and, where asked, the second text. */
export function examplesFromRows(rows: readonly Row[], file: string, options: ReadOptions): Example[] {
  const known = options.knownLabels === undefined ? undefined : new Set(options.knownLabels);
  return rows.slice(0, options.limit).map(({ line, cells }) => {
    const [text, labelCell, pair] = cells;
    const example = {
      text: textOf(text, options.text, file, line),
      label: labelOf(labelCell, options, file, line),
    };
    const unknown = namesOf(example).find((label) => known?.has(label) === false);
    if (known !== undefined && unknown !== undefined) {
      throw new DataError(
        file,
        line,
        `the label ${JSON.stringify(unknown)} is none that the task was trained on`,
        `It knows ${summarize([...known])}`,
      );
    }
    if (options.textPair === undefined) return example;
    return { ...example, pair: textOf(pair, options.textPair, file, line) };
  });
}

/** An example's labels by name; none of a regression's. */
function namesOf({ label }: Pick<Example, 'label'>): readonly string[] {
  return typeof label === 'object' ? label : typeof label === 'string' ? [label] : [];
}

export interface LabelNaming {
  readonly kind: TaskKind;
  /** Of the data set itself; see LabelledData. */
  readonly classNames?: readonly string[] | undefined;
}

/**
 * The labels of a classification or multi-label task, in the order of its outputs: as `classNames` has them, else by value where all
 * are numbers, else by code point.
 * @throws DataError where all examples have the same label, or in a multi-label task none has any.
 */
export function labelsOf(
  examples: readonly Example[],
  file: string,
  { kind, classNames }: LabelNaming,
): string[] {
  const labels = [...new Set(examples.flatMap(namesOf))];
  if (kind === 'multi-label' && labels.length === 0) {
    throw new DataError(file, undefined, 'no example has a label', 'Is --label the right column?');
  }
  if (kind === 'classification' && labels.length < 2) {
    throw new DataError(
      file,
      undefined,
      `every example has the label ${summarize(labels)}`,
      'There is nothing to tell apart: at least two labels are needed (is --label the right column? --limit too small?)',
    );
  }
  if (classNames !== undefined) return [...classNames];
  const numeric = labels.every((label) => !Number.isNaN(parseDecimal(label)));
  return labels.sort((a, b) => (numeric && Number(a) - Number(b)) || compareCodePoints(a, b));
}

function textOf(cell: unknown, column: string, file: string, line: number): string {
  const text = scalar(cell, column, file, line);
  if (text === undefined || text.trim() === '') {
    throw new DataError(
      file,
      line,
      `the text in column "${column}" is empty`,
      'Fill it in or delete the line',
    );
  }
  return text;
}

function labelOf(cell: unknown, options: ReadOptions, file: string, line: number): Example['label'] {
  if (options.kind === 'multi-label') return labelListOf(cell, options, file, line);
  const label = scalar(cell, options.label, file, line)?.trim();
  if (label === undefined || label === '') {
    throw new DataError(
      file,
      line,
      `the label in column "${options.label}" is empty`,
      'Fill it in or delete the line',
    );
  }
  if (options.kind === 'classification') return label;
  const value = parseDecimal(label);
  if (Number.isNaN(value)) {
    throw new DataError(
      file,
      line,
      `the score ${JSON.stringify(label)} in column "${options.label}" is not a number`,
      'A regression task needs numbers; for labels use --task classification',
    );
  }
  return value;
}

/** The labels of a cell, each once: a list in JSONL, else a text with separators; an empty one has none. */
function labelListOf(
  cell: unknown,
  { label: column, labelSeparator = '|' }: ReadOptions,
  file: string,
  line: number,
): readonly string[] {
  const parts: readonly unknown[] = Array.isArray(cell)
    ? cell
    : (scalar(cell, column, file, line)?.split(labelSeparator) ?? [undefined]);
  const isNone = parts.length === 1 && typeof parts[0] === 'string' && parts[0].trim() === '';
  if (isNone) return [];
  const labels = parts.map((part) => {
    const label = scalar(part, column, file, line)?.trim();
    if (label !== undefined && label !== '') return label;
    throw new DataError(
      file,
      line,
      `a label in column "${column}" is empty`,
      `Labels stand between "${labelSeparator}", in JSONL in a list; leave the cell empty (in JSONL []) where there is none`,
    );
  });
  return [...new Set(labels)];
}

/** JSONL may hold numbers and booleans where a text or a label is meant; lists and objects are a mistake. */
function scalar(cell: unknown, column: string, file: string, line: number): string | undefined {
  if (typeof cell === 'string') return cell;
  if (typeof cell === 'number' || typeof cell === 'boolean') return String(cell);
  if (cell === undefined || cell === null) return undefined;
  throw new DataError(
    file,
    line,
    `column "${column}" holds ${Array.isArray(cell) ? 'a list' : 'an object'}`,
    'A text, a number or true/false is needed',
  );
}

/** JavaScript's `<` compares UTF-16 units, which puts an emoji before some letters. */
function compareCodePoints(a: string, b: string): number {
  const left = Array.from(a);
  const right = Array.from(b);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function summarize(labels: readonly string[]): string {
  const shown = labels.slice(0, 10).map((label) => JSON.stringify(label));
  return labels.length > shown.length
    ? `${shown.join(', ')} and ${labels.length - shown.length} more`
    : shown.join(', ');
}
