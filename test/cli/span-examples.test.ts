import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSpanExamples, readSpanExamples } from '../../src/cli/data/span-examples';
import { DataError, FileAccessError } from '../../src/index';
import { sharedPath } from '../support/shared';
import { failureOf, mutations } from './support';

const file = (name: string, value: unknown) => ({
  name,
  bytes: new TextEncoder().encode(JSON.stringify(value)),
});
const squad = (value: unknown) => parseSpanExamples(file('x.json', value));
const row = (value: unknown) => parseSpanExamples(file('x.jsonl', value));

const context = '😀 Graft runs in 𝐚 page, in Node and in Deno.';
const qas = [
  { id: 'q1', question: 'Where?', answers: [{ text: '𝐚 page', answer_start: 16 }] },
  {
    id: 'q2',
    question: 'And?',
    answers: [
      { text: 'in Node', answer_start: 24 },
      { text: 'Deno', answer_start: 39 },
    ],
  },
];
const article = { data: [{ paragraphs: [{ context, qas }] }] };

describe("SQuAD's JSON", () => {
  it('gives questions whose answers start where JavaScript counts', () => {
    const examples = squad(article);
    expect(examples).toEqual([
      { line: undefined, id: 'q1', context, question: 'Where?', answers: [{ text: '𝐚 page', start: 17 }] },
      {
        line: undefined,
        id: 'q2',
        context,
        question: 'And?',
        answers: [
          { text: 'in Node', start: 26 },
          { text: 'Deno', start: 41 },
        ],
      },
    ]);
    for (const { answers } of examples) {
      for (const { text, start } of answers) expect(context.slice(start).startsWith(text)).toBe(true);
    }
  });

  it('lets a question have no answer, as in SQuAD 2.0', () => {
    const paragraphs = [
      { context: 'a', qas: [{ id: 'q', question: 'b', answers: [], is_impossible: true }] },
    ];
    expect(squad({ data: [{ paragraphs }] })[0]?.answers).toEqual([]);
  });

  it.each([17, 15, 1e15, 45])('names the question whose answer is not at %d', (answer_start) => {
    const moved = [{ ...qas[0], answers: [{ text: '𝐚 page', answer_start }] }];
    const error = failureOf(() => squad({ data: [{ paragraphs: [{ context, qas: moved }] }] }));
    expect(error.message).toContain(
      `x.json: question "q1": the answer "𝐚 page" does not stand at ${answer_start}`,
    );
    expect(error.message).toContain('the first place where it stands is 16');
  });

  it.each([
    [{}, 'data is no list'],
    [{ data: {} }, 'data is no list'],
    [{ data: [{}] }, 'data[0].paragraphs is no list'],
    [{ data: [{ paragraphs: [{ qas: [] }] }] }, 'data[0].paragraphs[0].context is no text'],
    [{ data: [{ paragraphs: [{ context: 'a' }] }] }, 'data[0].paragraphs[0].qas is no list'],
    [
      { data: [{ paragraphs: [{ context: 'a', qas: [5] }] }] },
      'data[0].paragraphs[0].qas[0]: its question is nothing',
    ],
    [{ data: [] }, 'holds no question'],
  ])('says what is missing in %j', (value, problem) => {
    expect(failureOf(() => squad(value)).message).toContain(`x.json: ${problem}`);
  });

  it('is no other JSON', () => {
    const text = new TextEncoder().encode('{"a":1}\n{"a":2}\n');
    expect(failureOf(() => parseSpanExamples({ name: 'x.json', bytes: text })).message).toMatch(
      /not JSON.*\.jsonl/,
    );
  });
});

describe('rows of questions', () => {
  const sound = { id: 5, context, question: 'Where?', answers: { text: ['𝐚 page'], answer_start: [16] } };

  it('are read from JSONL, their answers as the Hub has them or as SQuAD', () => {
    const expected = {
      line: 1,
      id: '5',
      context,
      question: 'Where?',
      answers: [{ text: '𝐚 page', start: 17 }],
    };
    expect(row(sound)).toEqual([expected]);
    expect(row({ ...sound, answers: [{ text: '𝐚 page', answer_start: 16 }] })).toEqual([expected]);
  });

  it('are read from columns of other names', () => {
    const renamed = { passage: 'a b', query: 'c', spans: [{ text: 'b', answer_start: 2 }] };
    const options = { context: 'passage', question: 'query', answers: 'spans' };
    expect(parseSpanExamples(file('x.jsonl', renamed), options)).toEqual([
      { line: 1, id: undefined, context: 'a b', question: 'c', answers: [{ text: 'b', start: 2 }] },
    ]);
  });

  it.each([
    [{ context: ' ' }, /x\.jsonl, line 1: question "5": its context is an empty text/],
    [{ question: null }, /question "5": its question is nothing/],
    [{ answers: null }, /question "5": answers holds nothing/],
    [{ answers: ['a'] }, /question "5": answers holds a text at place 1/],
    [{ answers: [{ text: '', answer_start: 0 }] }, /answers holds an object at place 1/],
    [{ answers: [{ text: 'a', answer_start: -1 }] }, /answers holds an object at place 1/],
    [{ answers: { text: ['a'], answer_start: ['0'] } }, /answers\.answer_start holds a text at place 1/],
    [{ answers: { text: ['a'], answer_start: [0.5] } }, /answers\.answer_start holds 0\.5 at place 1/],
    [{ answers: { text: ['a', 'b'], answer_start: [0] } }, /answers has 2 texts and 1 starts/],
    [{ answers: { text: ['Python'], answer_start: [0] } }, /"Python" does not stand at 0.*letter by letter/],
    [{ id: undefined, answers: [] as unknown, question: 3 }, /line 1: the question: its question is 3/],
  ])('are refused: %j', (change, message) => {
    expect(() => row({ ...sound, ...change })).toThrow(message);
    expect(() => row({ ...sound, ...change })).toThrow(DataError);
  });

  it('are not read from CSV', () => {
    expect(() => parseSpanExamples(file('x.csv', ''))).toThrow(/\.json .*\.jsonl/);
  });
});

describe('whatever a file of questions holds', () => {
  const samples = [
    file('x.json', article),
    file('x.jsonl', {
      id: 'q',
      context,
      question: 'Where?',
      answers: { text: ['𝐚 page'], answer_start: [16] },
    }),
  ];

  it.each(samples)('is read or refused with a typed error: $name', ({ name, bytes }) => {
    fc.assert(
      fc.property(mutations(bytes), (mutant) => {
        try {
          for (const { context: where, answers } of parseSpanExamples({ name, bytes: mutant })) {
            for (const { text, start } of answers) expect(where.slice(start, start + text.length)).toBe(text);
          }
        } catch (error) {
          if (!(error instanceof DataError)) throw error;
          expect(error.file).toBe(name);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('on the disk', () => {
  it('tells a missing file', async () => {
    await expect(readSpanExamples('no/such.json')).rejects.toThrow(FileAccessError);
  });

  const xquad = sharedPath('data', 'xquad');
  if (xquad === undefined) console.log('XQuAD is not read: shared/data/xquad is absent');
  // As SOURCES.md counts them.
  it.skipIf(xquad === undefined).each(['ar', 'el', 'en', 'hi', 'zh'])(
    'XQuAD is read whole: %s',
    async (language) => {
      const examples = await readSpanExamples(`${xquad}/xquad.${language}.json`);
      expect(examples).toHaveLength(1190);
      expect(new Set(examples.map(({ id }) => id)).size).toBe(1190);
      expect(examples.every(({ answers }) => answers.length === 1)).toBe(true);
      expect(await readSpanExamples(`${xquad}/xquad.${language}.json`, { limit: 7 })).toEqual(
        examples.slice(0, 7),
      );
    },
  );
});
