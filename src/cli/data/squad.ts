import { DataError } from '../../index';
import { spanExample } from './span-example';
import type { SpanExample } from './structured-examples';
import { entriesOf, textOf } from './values';

/** Where an entry of the nested lists stands: `data[0].paragraphs[2].qas[1]`. */
type Path = string;

/**
 * SQuAD's JSON: `data` is a list of articles, each with `paragraphs`, each with a `context` and `qas`, each with `question`, `id`
 * and `answers`, each with a `text` and its `answer_start` in code points. A question without answers, as SQuAD 2.0 has them, has
 * an empty list.
 * @throws DataError naming the question, or the place of what is not as it must be
 */
export function parseSquad(text: string, file: string): SpanExample[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DataError(file, undefined, 'is not JSON', 'Lines of JSON objects are read from .jsonl', {
      cause,
    });
  }
  const examples: SpanExample[] = [];
  for (const [article, articlePath] of items(value, 'data', '', file)) {
    for (const [paragraph, path] of items(article, 'paragraphs', articlePath, file)) {
      const context = textOf(entriesOf(paragraph)?.get('context'));
      if (context === undefined) throw unlikeSquad(file, `${path}.context is no text`);
      for (const [qa, qaPath] of items(paragraph, 'qas', path, file)) {
        const entries = entriesOf(qa);
        const place = { file, line: undefined, name: qaPath };
        const [id, question, answers] = ['id', 'question', 'answers'].map((key) => entries?.get(key));
        examples.push(spanExample({ id, context, question, answers }, place));
      }
    }
  }
  return examples;
}

/** The items of the list `key` of an object, with their places. */
function items(value: unknown, key: string, path: Path, file: string): [unknown, Path][] {
  const place = path === '' ? key : `${path}.${key}`;
  const list = entriesOf(value)?.get(key);
  if (!Array.isArray(list)) throw unlikeSquad(file, `${place} is no list`);
  return list.map((item: unknown, index) => [item, `${place}[${index}]`]);
}

function unlikeSquad(file: string, problem: string): DataError {
  return new DataError(
    file,
    undefined,
    problem,
    'SQuAD holds data[].paragraphs[].qas[], with a context in each paragraph',
  );
}
