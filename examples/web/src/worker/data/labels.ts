import type { ExampleRow, TaskKind } from '../../engine';

/** The label as it counts: blanks around it are a slip. */
export function labelOf({ label }: Pick<ExampleRow, 'label'>): string {
  return label.trim();
}

/** The second text; undefined where there is none. */
export function pairOf({ pair }: Pick<ExampleRow, 'pair'>): string | undefined {
  return pair === undefined || pair.trim() === '' ? undefined : pair;
}

/** Two rows with the same key are the same text, or pair. */
export function textKey(example: Pick<ExampleRow, 'text' | 'pair'>): string {
  const pair = pairOf(example);
  return JSON.stringify(pair === undefined ? [example.text.trim()] : [example.text.trim(), pair.trim()]);
}

/** A decimal number; NaN for anything else, where `Number` would take '' and '0x10' for numbers. */
export function parseNumber(text: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : Number.NaN;
}

/** The labels in the order of a task's outputs: by value where all are numbers, else by code point. */
export function sortedLabels(examples: readonly ExampleRow[]): string[] {
  const labels = [...new Set(examples.map(labelOf))].filter((label) => label !== '');
  const areNumbers = labels.every((label) => !Number.isNaN(parseNumber(label)));
  return labels.sort((a, b) => (areNumbers && Number(a) - Number(b)) || compare(a, b));
}

/** Many different numbers are values, not names of classes. */
export function guessKind(examples: readonly ExampleRow[]): TaskKind {
  const labels = new Set(examples.map(labelOf).filter((label) => label !== ''));
  const areNumbers = labels.size > 0 && [...labels].every((label) => !Number.isNaN(parseNumber(label)));
  return areNumbers && labels.size > MOST_NUMBERED_CLASSES ? 'regression' : 'classification';
}

/** Ratings go from 1 to 10 and from 0 to 10. */
const MOST_NUMBERED_CLASSES = 11;

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
