/** A data file as the examples of a task, whatever its kind. */
import { DataError, OptionError, type TaskExample, type TaskKind } from '../../index';
import type { ColumnOptions } from '../options';
import { type LabelNaming, labelsOf, type ReadOptions, readLabelledData } from './examples';
import type { HubDataOptions } from './hub';
import { readSpanExamples } from './span-examples';
import type { TokenExample } from './structured-examples';
import { readTokenExamples } from './token-examples';

export type TaskReadOptions = ColumnOptions & Pick<ReadOptions, 'limit' | 'knownLabels'>;

/** What a file of examples holds. */
export interface TaskData {
  readonly examples: readonly TaskExample[];
  /** See LabelledData. */
  readonly classNames?: readonly string[] | undefined;
}

/**
 * Reads examples; the columns of lists of tokens and of questions have names of their own (`tokens` and `tags`; `context`, `question`
 * and `answers`), which --text, --text-pair and --label replace.
 * @throws DataError naming file and line; FileAccessError; OptionError where a column that has no name of its own is not given
 */
export async function readTaskExamples(
  source: string,
  kind: TaskKind,
  options: TaskReadOptions,
  hub?: HubDataOptions,
): Promise<TaskData> {
  const { text, textPair, label, limit, knownLabels } = options;
  if (kind === 'token-classification') {
    const examples = await readTokenExamples(source, { tokens: text, tags: label, limit }, hub);
    if (knownLabels !== undefined) requireKnown(examples, source, knownLabels);
    return { examples: examples.map(({ tokens, labels }) => ({ tokens, labels })) };
  }
  if (kind === 'question-answering') {
    const columns = { context: text, question: textPair, answers: label, limit };
    const examples = await readSpanExamples(source, columns, hub);
    return { examples: examples.map(({ question, context, answers }) => ({ question, context, answers })) };
  }
  if (text === undefined || label === undefined) {
    const missing = text === undefined ? '--text' : '--label';
    throw new OptionError(missing, 'is missing', 'Name the column of the file, or its number from 0');
  }
  return readLabelledData(source, { ...options, text, label, kind }, hub);
}

/** The labels of a task that is trained on `examples`, in the order of its outputs. @throws DataError where there are too few */
export function taskLabels(examples: readonly TaskExample[], file: string, naming: LabelNaming): string[] {
  const { kind } = naming;
  if (kind === 'regression' || kind === 'question-answering') return [];
  if (kind === 'token-classification') {
    const labels = [...new Set(examples.flatMap((example) => ('tokens' in example ? example.labels : [])))];
    if (labels.length >= 2) return labels.sort();
    throw new DataError(file, undefined, `all tokens have the label ${JSON.stringify(labels[0])}`);
  }
  return labelsOf(
    examples.flatMap((example) => ('label' in example ? [example] : [])),
    file,
    naming,
  );
}

function requireKnown(examples: readonly TokenExample[], file: string, known: readonly string[]): void {
  for (const { line, labels } of examples) {
    const unknown = labels.find((label) => !known.includes(label));
    if (unknown === undefined) continue;
    throw new DataError(
      file,
      line,
      `the sentence has the label ${JSON.stringify(unknown)}, which the task was not trained on`,
      `It knows ${known.slice(0, 20).join(', ')}`,
    );
  }
}
