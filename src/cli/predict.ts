import {
  DataError,
  loadBackbone,
  type Prediction,
  type Task,
  type TaskInput,
  type TextInput,
} from '../index';
import { inGroups, type Line, readLines } from './lines';
import { loadTasks } from './load-tasks';
import type { PredictOptions } from './options';
import { createProgress } from './progress';
import { withRuntime } from './runtime';
import { printable, printJson } from './terminal';

/** Lines from stdin that are predicted together: enough to fill a device, few enough to answer soon. */
const GROUP = 64;

/** `graft predict`: a line of predictions, one of each adapter, for each of the texts given or the lines of stdin. */
export async function predict(texts: readonly string[], options: PredictOptions): Promise<void> {
  await withRuntime(options, async (runtime) => {
    const progress = createProgress({ quiet: options.json });
    const backbone = await loadBackbone(options.backbone, {
      runtime,
      weights: options.weights,
      onProgress: progress.download,
    });
    const tasks = await loadTasks(backbone, options.adapter);
    const [task] = tasks;
    const group = tasks.length > 1 ? backbone.groupTasks(tasks) : undefined;
    progress.stop();
    const name = texts.length > 0 ? 'TEXT' : 'stdin';
    const lines = texts.length > 0 ? numbered(texts) : readLines(process.stdin, name);
    const { dropLayers } = options;
    for await (const lineGroup of inGroups(lines, GROUP)) {
      const predictions = group
        ? await group.predictAll(
            lineGroup.map((line) => textOf(line, task, name)),
            { dropLayers },
          )
        : [
            (await task?.predict(
              lineGroup.map((line) => inputOf(line, task, name)),
              { dropLayers },
            )) ?? [],
          ];
      for (const [index, { text }] of lineGroup.entries()) {
        printLine(
          options,
          predictions.flatMap((ofTask) => ofTask[index] ?? []),
          text,
        );
      }
    }
  });
}

/** What one adapter says as it is, what several say behind their directories' names. */
function printLine(
  { adapter: directories, json }: PredictOptions,
  predictions: readonly Prediction[],
  text: string,
): void {
  const [only] = predictions;
  const named = predictions.map((prediction, index) => [directories[index] ?? '', prediction] as const);
  if (json) {
    printJson(directories.length > 1 ? Object.fromEntries(named) : only);
    return;
  }
  const told = named.map(([directory, prediction]) =>
    directories.length > 1 ? `${printable(directory)}: ${describe(prediction)}` : describe(prediction),
  );
  process.stdout.write(`${told.join('  ')}  ${printable(text)}\n`);
}

function inputOf(line: Line, task: Pick<Task, 'kind' | 'takesPairs'>, name: string): TaskInput {
  if (task.kind === 'question-answering') return splitQuestion(line, name);
  return textOf(line, task, name);
}

function textOf(line: Line, task: Pick<Task, 'takesPairs'> | undefined, name: string): TextInput {
  return task?.takesPairs ? splitPair(line, name) : line.text;
}

/** Splits a line of a question and its context at its first tab. */
export function splitQuestion({ text, number }: Line, name: string): TaskInput {
  const tab = text.indexOf('\t');
  if (tab === -1) {
    throw new DataError(name, number, 'holds no context', 'Separate question and context by a tab');
  }
  return { question: text.slice(0, tab), context: text.slice(tab + 1) };
}

/** Splits a line of two texts at its first tab. */
export function splitPair({ text, number }: Line, name: string): TextInput {
  const tab = text.indexOf('\t');
  if (tab === -1) {
    throw new DataError(name, number, 'holds one text', 'The task takes pairs: separate the two by a tab');
  }
  return { text: text.slice(0, tab), pair: text.slice(tab + 1) };
}

function describe(prediction: Prediction): string {
  if ('value' in prediction) return prediction.value.toFixed(4);
  if ('labels' in prediction) {
    const { labels, scores } = prediction;
    const scored = labels.map((label) => `${printable(label)} ${(scores[label] ?? Number.NaN).toFixed(4)}`);
    return scored.length === 0 ? '(none)' : scored.join(', ');
  }
  if ('entities' in prediction) {
    const found = prediction.entities.map(
      ({ type, text, score }) => `${printable(type)} "${printable(text)}" ${score.toFixed(4)}`,
    );
    return found.length === 0 ? '(none)' : found.join(', ');
  }
  if ('answer' in prediction) {
    const { answer, score, noAnswerMargin } = prediction;
    const doubt = noAnswerMargin > 0 ? `  (rather none, by ${noAnswerMargin.toFixed(4)})` : '';
    return `${printable(answer)}  ${score.toFixed(4)}${doubt}`;
  }
  return `${printable(prediction.label)}  ${prediction.score.toFixed(4)}`;
}

async function* numbered(texts: readonly string[]): AsyncGenerator<Line> {
  for (const [index, text] of texts.entries()) yield { number: index + 1, text };
}
