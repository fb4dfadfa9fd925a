import { DataError } from '../../index';
import type { SpanExample } from './structured-examples';
import { describe, entriesOf, idOf, listOf, type Place, textOf } from './values';

/** What a file says of a question. */
export interface RawSpanExample {
  readonly id: unknown;
  readonly context: unknown;
  readonly question: unknown;
  readonly answers: unknown;
}

/** @throws DataError naming the question by its id, else by `place` */
export function spanExample(raw: RawSpanExample, { file, line, name }: Place): SpanExample {
  const id = idOf(raw.id);
  const place = { file, line, name: id === undefined ? name : `question ${JSON.stringify(id)}` };
  const context = nonEmpty(raw.context, 'context', place);
  const question = nonEmpty(raw.question, 'question', place);
  const answers = answersOf(raw.answers, place).map(([text, start]) => {
    const offset = utf16Offset(context, start);
    if (offset !== undefined && context.startsWith(text, offset)) return { text, start: offset };
    const elsewhere = context.indexOf(text);
    throw new DataError(
      file,
      line,
      `${place.name}: the answer ${JSON.stringify(text)} does not stand at ${start} in its context`,
      elsewhere === -1
        ? 'An answer is a part of the context, letter by letter'
        : `answer_start counts code points from 0; the first place where it stands is ${Array.from(context.slice(0, elsewhere)).length}`,
    );
  });
  return { line, id, context, question, answers };
}

function nonEmpty(value: unknown, what: string, { file, line, name }: Place): string {
  const text = textOf(value);
  if (text !== undefined && text.trim() !== '') return text;
  throw new DataError(file, line, `${name}: its ${what} is ${describe(value)}`, 'A text is needed');
}

/** Texts and where they start, in code points. */
function answersOf(value: unknown, place: Place): [text: string, start: number][] {
  const answers = { ...place, name: `${place.name}: answers` };
  const lists = entriesOf(value);
  if (lists === undefined) {
    const what = 'a list of objects with a text and its answer_start, a whole number';
    return listOf(value, pairOf, what, answers);
  }
  const texts = listOf(lists.get('text'), answerText, 'a list of texts', {
    ...answers,
    name: `${answers.name}.text`,
  });
  const startPlace = { ...answers, name: `${answers.name}.answer_start` };
  const starts = listOf(lists.get('answer_start'), wholeNumber, 'a list of whole numbers', startPlace);
  if (texts.length !== starts.length) {
    throw new DataError(
      place.file,
      place.line,
      `${place.name}: answers has ${texts.length} texts and ${starts.length} starts`,
    );
  }
  return texts.map((text, index) => [text, starts[index] ?? Number.NaN]);
}

function pairOf(value: unknown): [text: string, start: number] | undefined {
  const entries = entriesOf(value);
  const text = answerText(entries?.get('text'));
  const start = wholeNumber(entries?.get('answer_start'));
  return text === undefined || start === undefined ? undefined : [text, start];
}

/** An answer without a letter could stand anywhere. */
function answerText(value: unknown): string | undefined {
  return textOf(value) || undefined;
}

function wholeNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** Python, which wrote the file, counts code points; JavaScript counts one above U+FFFF as two. */
function utf16Offset(text: string, codePoints: number): number | undefined {
  let offset = 0;
  for (let left = codePoints; left > 0; left--) {
    const codePoint = text.codePointAt(offset);
    if (codePoint === undefined) return undefined;
    offset += codePoint > 0xffff ? 2 : 1;
  }
  return offset;
}
