import type { Tokenizer } from 'graft-ml';
import type { DataCheck, DataProblem, ExampleRow, TaskKind } from '../../engine';
import { Breather } from '../breather';
import { labelOf, pairOf, parseNumber, textKey } from './labels';

/** Fewer examples of a class than this are learned badly. */
const FEW_IN_CLASS = 8;
const FEW_EXAMPLES = 40;
/** A class with more of the examples than this makes a high accuracy easy. */
const DOMINANT_SHARE = 0.9;

export interface CheckOptions {
  /** Finds texts that are too long; absent while no backbone is loaded. */
  readonly tokenizer?: Tokenizer | undefined;
  readonly maxLength: number;
}

/** What is to be known of examples before training. */
export async function checkExamples(
  kind: TaskKind,
  examples: readonly ExampleRow[],
  { tokenizer, maxLength }: CheckOptions,
): Promise<DataCheck> {
  const { duplicates, contradictions } = findRepeated(examples);
  const classes = kind === 'regression' ? [] : countClasses(examples);
  const tooLong = tokenizer === undefined ? undefined : await findTooLong(examples, tokenizer, maxLength);
  const found = { kind, examples: examples.length, classes, duplicates, contradictions, tooLong, maxLength };
  return {
    ...found,
    problems: findProblems(kind, examples, classes),
    warnings: findWarnings(found, examples),
  };
}

function findRepeated(examples: readonly ExampleRow[]) {
  const labelsByText = new Map<string, Set<string>>();
  const duplicates: number[] = [];
  const contradictions: number[] = [];
  examples.forEach((example, row) => {
    if (example.text.trim() === '') return;
    const label = labelOf(example);
    const key = textKey(example);
    const labels = labelsByText.get(key);
    if (labels === undefined) labelsByText.set(key, new Set([label]));
    else if (labels.has(label)) duplicates.push(row);
    else {
      contradictions.push(row);
      labels.add(label);
    }
  });
  return { duplicates, contradictions };
}

function countClasses(examples: readonly ExampleRow[]): DataCheck['classes'] {
  const counts = new Map<string, number>();
  for (const example of examples) {
    const label = labelOf(example);
    if (label !== '') counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return [...counts].map(([label, count]) => ({ label, count })).sort((a, b) => b.count - a.count);
}

async function findTooLong(
  examples: readonly ExampleRow[],
  tokenizer: Tokenizer,
  maxLength: number,
): Promise<number[]> {
  const breather = new Breather();
  const rows: number[] = [];
  for (const [row, example] of examples.entries()) {
    if (tokenizer.encode(example.text, pairOf(example), { maxLength }).truncated) rows.push(row);
    await breather.breathe();
  }
  return rows;
}

function findProblems(
  kind: TaskKind,
  examples: readonly ExampleRow[],
  classes: DataCheck['classes'],
): DataProblem[] {
  const problems: DataProblem[] = [];
  const add = (message: string, rows?: readonly number[]) => {
    problems.push(rows === undefined ? { message } : { message, rows });
  };
  if (examples.length === 0) {
    add('There are no examples yet. Paste some, drop a file, or type them in.');
    return problems;
  }
  const rowsWhere = (isWrong: (example: ExampleRow) => boolean) =>
    examples.flatMap((example, row) => (isWrong(example) ? [row] : []));
  const withoutText = rowsWhere(({ text }) => text.trim() === '');
  if (withoutText.length > 0)
    add(`${rowsHave(withoutText)} no text. Fill it in or remove them.`, withoutText);
  const withoutLabel = rowsWhere((example) => labelOf(example) === '');
  if (withoutLabel.length > 0) {
    add(`${rowsHave(withoutLabel)} no label. Fill it in or remove them.`, withoutLabel);
  }
  const single = rowsWhere((example) => pairOf(example) === undefined);
  if (single.length > 0 && single.length < examples.length) {
    add(`${rowsHave(single)} no second text, the others do. Fill it in or remove them.`, single);
  }
  if (kind === 'regression') {
    const noNumbers = rowsWhere(
      (example) => labelOf(example) !== '' && Number.isNaN(parseNumber(example.label)),
    );
    if (noNumbers.length > 0) {
      add(
        `${rowsHave(noNumbers)} a label that is no number, as 3.5 is one. Correct them, or make it a task with classes.`,
        noNumbers,
      );
    }
    if (new Set(examples.map(labelOf)).size < 2)
      add('All examples have the same value: there is nothing to learn.');
  } else {
    if (classes.length < 2) add('At least two different labels are needed.');
    else if (classes.every(({ count }) => count < 2)) {
      add(
        'Every label occurs once only. To train and to test, a label needs two examples at least; some dozens are better.',
      );
    }
  }
  if (new Set(examples.map(textKey)).size < 2) add('At least two different texts are needed.');
  return problems;
}

function findWarnings(
  { kind, classes, duplicates, contradictions, tooLong, maxLength }: Omit<DataCheck, 'problems' | 'warnings'>,
  examples: readonly ExampleRow[],
): DataProblem[] {
  const warnings: DataProblem[] = [];
  const count = examples.length;
  if (count > 0 && count < FEW_EXAMPLES) {
    warnings.push({
      message: `${count} examples are few: some hundreds give results that can be relied on.`,
    });
  }
  if (kind === 'classification' && classes.length >= 2) {
    if (classes.length > Math.max(20, count / 4)) {
      warnings.push({
        message: `${classes.length} different labels in ${count} examples are many. Is it the right column, or are the labels numbers to be predicted?`,
      });
    } else {
      const rare = classes.filter((item) => item.count < FEW_IN_CLASS);
      if (rare.length > 0) {
        const names = new Set(rare.map(({ label }) => label));
        const rows = examples.flatMap((example, row) => (names.has(labelOf(example)) ? [row] : []));
        const shown = rare.slice(0, 5).map((item) => `“${item.label}” (${item.count})`);
        const more = rare.length > shown.length ? ', …' : '';
        warnings.push({
          message: `Few examples: ${shown.join(', ')}${more}. Such labels are hardly learned.`,
          rows,
        });
      }
    }
    const [largest] = classes;
    if (largest !== undefined && largest.count / count > DOMINANT_SHARE) {
      const share = Math.round((100 * largest.count) / count);
      warnings.push({
        message: `${share}% of the examples are “${largest.label}”: whoever always says that is right as often.`,
      });
    }
  }
  if (contradictions.length > 0) {
    warnings.push({
      message: `${rowsHave(contradictions)} the text of an earlier row and another label.`,
      rows: contradictions,
    });
  }
  if (duplicates.length > 0) {
    warnings.push({
      message: `${rowsHave(duplicates)} the text and label of an earlier row. They stay together when examples are held out.`,
      rows: duplicates,
    });
  }
  if (tooLong !== undefined && tooLong.length > 0) {
    warnings.push({
      message: `${rowsHave(tooLong)} more than ${maxLength} tokens (parts of words): what is beyond them is not read.`,
      rows: tooLong,
    });
  }
  return warnings;
}

function rowsHave(rows: readonly number[]): string {
  return rows.length === 1 ? 'One row has' : `${rows.length} rows have`;
}
