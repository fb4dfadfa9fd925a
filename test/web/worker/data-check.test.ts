import { readFileSync } from 'node:fs';
import { loadTokenizer, type Tokenizer } from 'graft-ml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkExamples } from '../../../examples/web/src/worker/data/data-check';
import { guessKind, sortedLabels } from '../../../examples/web/src/worker/data/labels';
import { goldenPath } from '../../support/checkpoint';

const rows = (...given: readonly (readonly [string, string] | readonly [string, string, string])[]) =>
  given.map(([text, label, pair]) => (pair === undefined ? { text, label } : { text, label, pair }));
const good = Array.from({ length: 60 }, (_, i) => ({ text: `text ${i}`, label: i % 2 === 0 ? 'a' : 'b' }));
const check = (kind: 'classification' | 'regression', examples: readonly { text: string; label: string }[]) =>
  checkExamples(kind, examples, { maxLength: 128 });
const messages = (list: readonly { readonly message: string }[]) =>
  list.map(({ message }) => message).join('\n');

describe('a check of examples', () => {
  it('finds nothing in good ones', async () => {
    const found = await check('classification', good);
    expect(found).toMatchObject({
      examples: 60,
      classes: [
        { label: 'a', count: 30 },
        { label: 'b', count: 30 },
      ],
      duplicates: [],
      contradictions: [],
      problems: [],
      warnings: [],
    });
    expect(found.tooLong).toBeUndefined();
  });

  it('tells duplicates from contradictions, whatever blanks surround them', async () => {
    const examples = [
      ...good,
      ...rows(['text 0', 'a'], [' text 1 ', 'a'], ['text 1', ' b '], ['text 1', 'a']),
    ];
    const { duplicates, contradictions, problems } = await check('classification', examples);
    expect(duplicates).toEqual([60, 62, 63]);
    expect(contradictions).toEqual([61]);
    expect(problems).toEqual([]);
  });

  it('says what blocks a training, and in which rows', async () => {
    const missing = rows(['a', 'x'], ['', 'x'], ['b', ' '], ['c', 'y', 'pair']);
    const { problems } = await check('classification', missing);
    expect(problems.map(({ rows: found }) => found)).toEqual([[1], [2], [0, 1, 2]]);
    expect(messages((await check('classification', [])).problems)).toContain('no examples yet');
    expect(messages((await check('classification', rows(['a', 'x'], ['b', 'x']))).problems)).toContain(
      'two different labels',
    );
    expect(messages((await check('classification', rows(['a', 'x'], ['b', 'y']))).problems)).toContain(
      'once only',
    );
    const numbers = await check(
      'regression',
      rows(['a', '1'], ['b', 'many'], ['c', '0x10'], ['d', '-2.5e1']),
    );
    expect(numbers.problems.map(({ rows: found }) => found)).toEqual([[1, 2]]);
    expect(messages((await check('regression', rows(['a', '1'], ['b', '1']))).problems)).toContain(
      'same value',
    );
  });

  it('warns of few, rare, one-sided and too many labels', async () => {
    expect(messages((await check('classification', good.slice(0, 20))).warnings)).toContain(
      '20 examples are few',
    );
    const rare = await check('classification', [...good, ...rows(['x', 'c'])]);
    expect(rare.warnings).toHaveLength(1);
    expect(rare.warnings[0]).toMatchObject({ rows: [60], message: expect.stringContaining('“c” (1)') });
    const oneSided = good.map((example, i) => ({ ...example, label: i < 56 ? 'a' : 'b' }));
    expect(messages((await check('classification', oneSided)).warnings)).toContain(
      '93% of the examples are “a”',
    );
    const ids = good.map((example, i) => ({ ...example, label: `id ${i >> 1}` }));
    expect(messages((await check('classification', ids)).warnings)).toContain('30 different labels in 60');
  });

  describe('with a tokenizer', () => {
    let tokenizer: Tokenizer;
    beforeAll(async () => {
      const read = (name: string) => new Uint8Array(readFileSync(goldenPath('bert', 'checkpoint', name)));
      tokenizer = await loadTokenizer({ 'config.json': read('config.json'), 'vocab.txt': read('vocab.txt') });
    });
    afterAll(() => tokenizer.dispose());

    it('finds texts and pairs that are too long', async () => {
      const examples = rows(
        ['good day', 'a'],
        ['good day good day good', 'b'],
        ['good day', 'a', 'good day'],
      );
      const { tooLong } = await checkExamples('classification', examples, { tokenizer, maxLength: 6 });
      // [CLS] and [SEP] take two of six, in a pair three.
      expect(tooLong).toEqual([1, 2]);
    });
  });
});

describe('labels', () => {
  it('are sorted by value where all are numbers', () => {
    expect(sortedLabels(rows(['a', '10'], ['b', '9'], ['c', '-1']))).toEqual(['-1', '9', '10']);
    expect(sortedLabels(rows(['a', '10'], ['b', '9'], ['c', 'x']))).toEqual(['10', '9', 'x']);
  });

  it('that are many numbers make a regression', () => {
    const numbered = (count: number) =>
      Array.from({ length: 50 }, (_, i) => ({ text: `${i}`, label: `${i % count}` }));
    expect(guessKind(numbered(5))).toBe('classification');
    expect(guessKind(numbered(25))).toBe('regression');
    expect(guessKind(good)).toBe('classification');
    expect(guessKind([])).toBe('classification');
  });
});
