import type { ColumnChoice } from '../../engine';
import { parseNumber } from './labels';

type Rows = readonly (readonly string[])[];

const TEXT_NAMES =
  /^(text|texts|sentence|sentence1|text1|question1|premise|message|review|comment|content|body|title|input|document|request|description)$/i;
const PAIR_NAMES = /^(pair|text2|text_pair|sentence2|question2|hypothesis|answer|response|context)$/i;
const LABEL_NAMES =
  /^(label|labels|class|category|topic|sentiment|target|tag|intent|score|rating|stars|similarity|value|urgency|emotion|output)$/i;
/** Names of columns are short. */
const LONGEST_NAME = 40;
/** Rows that are looked at. */
const SAMPLE = 2000;

/** Whether the first row names the columns and is no example itself. */
export function guessHeader(rows: Rows): boolean {
  const [first, ...rest] = rows.slice(0, SAMPLE);
  if (first === undefined || rest.length === 0) return false;
  const names = first.map((cell) => cell.trim());
  if (names.some((name) => name === '' || name.length > LONGEST_NAME || !Number.isNaN(parseNumber(name)))) {
    return false;
  }
  if (new Set(names).size !== names.length) return false;
  if (names.some((name) => TEXT_NAMES.test(name) || PAIR_NAMES.test(name) || LABEL_NAMES.test(name)))
    return true;
  // A name differs from what stands below it: a number, several words, or one of a few values.
  return names.some((name, column) => {
    const cells = rest.map((row) => (row[column] ?? '').trim());
    if (cells.every((cell) => !Number.isNaN(parseNumber(cell)))) return true;
    if (!name.includes(' ') && cells.every((cell) => cell.includes(' '))) return true;
    const distinct = new Set(cells);
    return !distinct.has(name) && distinct.size > 1 && distinct.size <= cells.length / 4;
  });
}

/** Which column holds the text, which the label, and whether there is a second text. '' for the label: there is none. */
export function guessColumns(columns: readonly string[], rows: Rows): ColumnChoice {
  const sample = rows.slice(0, SAMPLE);
  const stats = columns.map((name, index) => {
    const cells = sample.map((row) => (row[index] ?? '').trim());
    return {
      name,
      distinct: new Set(cells).size,
      length: cells.reduce((sum, cell) => sum + cell.length, 0) / Math.max(1, cells.length),
      areNumbers: cells.length > 0 && cells.every((cell) => !Number.isNaN(parseNumber(cell))),
    };
  });
  type Statistics = (typeof stats)[number];
  const best = (among: readonly Statistics[], worth: (column: Statistics) => number) =>
    [...among].sort((a, b) => worth(b) - worth(a))[0];
  const text =
    stats.find(({ name, areNumbers }) => TEXT_NAMES.test(name) && !areNumbers) ??
    best(stats, ({ length, areNumbers }) => (areNumbers ? -1 : length));
  const others = stats.filter((column) => column !== text);
  const pair = others.find(({ name, areNumbers }) => PAIR_NAMES.test(name) && !areNumbers);
  const candidates = others.filter((column) => column !== pair);
  const label =
    candidates.find(({ name }) => LABEL_NAMES.test(name)) ??
    // A column with one value tells nothing apart, one with a value of its own in each row is an id or a text.
    best(
      candidates.filter(({ distinct }) => distinct > 1 && distinct <= Math.max(20, sample.length / 4)),
      ({ distinct }) => -distinct,
    ) ??
    candidates.find(({ areNumbers }) => areNumbers) ??
    candidates.at(-1);
  return { text: text?.name ?? '', pair: pair?.name, label: label?.name ?? '' };
}
