/** The parts of the heads with a row for each token: words, entities, windows, answers. */
import { beforeAll, describe, expect, it } from 'vitest';
import { Tokenizer } from '../../../src/tokenizer/tokenizer';
import { bestAnswers, logitsOfWindow } from '../../../src/training/heads/answers';
import { contextWindows } from '../../../src/training/heads/context-windows';
import { entitiesOf } from '../../../src/training/heads/entities';
import { encodeWords, splitWords } from '../../../src/training/heads/words';

const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const vocabulary = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...letters, '##a', '##b', '.'];
let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await Tokenizer.load({ vocabulary, lowercase: true, fileName: 'vocab.txt' });
});

describe('words', () => {
  const split = (words: readonly string[], maxLength: number) =>
    encodeWords(words, tokenizer, maxLength).map(({ sequence, words: found }) => ({
      text: tokenizer.decode(sequence.ids),
      words: found.map(({ word, token }) => `${word}@${token}`).join(' '),
    }));

  it('are spoken for by their first token', () => {
    expect(split(['ab', 'c', 'aab'], 16)).toEqual([{ text: '[CLS] ab c aab [SEP]', words: '0@1 1@3 2@4' }]);
  });

  it('of which nothing is left have no token', () => {
    expect(split(['a', '\u0001', 'b'], 16)).toEqual([{ text: '[CLS] a b [SEP]', words: '0@1 2@2' }]);
    expect(split(['\u0001'], 16)).toEqual([{ text: '[CLS] [SEP]', words: '' }]);
  });

  it('begin another sequence where they do not fit', () => {
    expect(split(['a', 'bab', 'c', 'd'], 6)).toEqual([
      { text: '[CLS] a bab [SEP]', words: '0@1 1@2' },
      { text: '[CLS] c d [SEP]', words: '2@1 3@2' },
    ]);
    expect(split(['a', 'b', 'bab', 'd'], 6)).toEqual([
      { text: '[CLS] a b [SEP]', words: '0@1 1@2' },
      { text: '[CLS] bab d [SEP]', words: '2@1 3@4' },
    ]);
  });

  it('longer than a sequence lose their end', () => {
    expect(split(['a', 'babab', 'd'], 5)).toEqual([
      { text: '[CLS] a [SEP]', words: '0@1' },
      { text: '[CLS] bab [SEP]', words: '1@1' },
      { text: '[CLS] d [SEP]', words: '2@1' },
    ]);
  });

  it('of a text are runs of letters and single other characters', () => {
    expect(splitWords(' U.S. naïve 3x\u{1f600}!')).toEqual([
      { text: 'U', start: 1 },
      { text: '.', start: 2 },
      { text: 'S', start: 3 },
      { text: '.', start: 4 },
      { text: 'naïve', start: 6 },
      { text: '3x', start: 12 },
      { text: '\u{1f600}', start: 14 },
      { text: '!', start: 16 },
    ]);
  });
});

describe('entities', () => {
  const found = (labels: string) =>
    entitiesOf(labels.split(' ').map((label, i) => ({ label, score: (i + 1) / 10 }))).map(
      ({ type, start, end, score }) => `${type} ${start}-${end} ${score.toFixed(2)}`,
    );

  it('begin at B-, go on with I- of the same type, and have the mean score', () => {
    expect(found('O B-a I-a O B-b')).toEqual(['a 1-3 0.25', 'b 4-5 0.50']);
    expect(found('B-a B-a I-a')).toEqual(['a 0-1 0.10', 'a 1-3 0.25']);
  });

  it('begin at an I- that goes on with nothing, and at another type', () => {
    expect(found('I-a I-a I-b O I-b')).toEqual(['a 0-2 0.15', 'b 2-3 0.30', 'b 4-5 0.50']);
    expect(found('B-a I-b')).toEqual(['a 0-1 0.10', 'b 1-2 0.20']);
  });

  it('may be labels without a prefix', () => {
    expect(found('x x O y')).toEqual(['x 0-2 0.15', 'y 3-4 0.40']);
  });
});

describe('windows', () => {
  // 15 tokens: [CLS] a [SEP], 11 of the context, [SEP]; 5 shared.
  const context = 'a b c d e f g h a b c d e f g h';
  const windows = (maxLength = 15) => contextWindows({ question: 'a', context }, tokenizer, maxLength);

  it('share a third of their length', () => {
    expect(windows().map(({ encoding }) => tokenizer.decode(encoding.ids))).toEqual([
      '[CLS] a [SEP] a b c d e f g h a b c [SEP]',
      '[CLS] a [SEP] g h a b c d e f g h [SEP]',
    ]);
  });

  it('have an answer that lies in them wholly, else the first token', () => {
    const spans = (text: string, start: number) =>
      windows().map((window) => window.spanOf({ text, start }).join('-'));
    expect(spans('g', 12)).toEqual(['9-9', '3-3']);
    expect(spans('f g', 10)).toEqual(['8-9', '0-0']);
    expect(spans('h a', 14)).toEqual(['10-11', '4-5']);
    expect(spans('c d', 20)).toEqual(['0-0', '7-8']);
    expect(windows().map((window) => window.spanOf(undefined))).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it('of the shortest lengths still get on', () => {
    for (const maxLength of [4, 5, 6, 7, 8, 9, 10, 11]) {
      const found = contextWindows({ question: 'a b c d e f g h', context }, tokenizer, maxLength);
      const last = found.at(-1);
      expect(last?.encoding.ends[(last?.to ?? 0) - 1]).toBe(context.length);
      expect(found.length).toBeLessThan(30);
    }
  });
});

describe('answers', () => {
  const context = 'a b c d e f g h';
  /** Logits of a window by token: [start, end]; others are -9. */
  function answersFor(logits: Readonly<Record<number, readonly [number, number]>>) {
    const [window] = contextWindows({ question: 'a', context }, tokenizer, 48);
    if (window === undefined) throw new Error('there is no window');
    const values = new Float32Array(window.sequence.ids.length * 2).fill(-9);
    for (const [token, pair] of Object.entries(logits)) values.set(pair, Number(token) * 2);
    return bestAnswers(context, [logitsOfWindow(window, values, 0)]);
  }

  it('are the best pair of start and end', () => {
    const [best] = answersFor({ 4: [5, 0], 6: [0, 5] }).candidates;
    expect(best).toMatchObject({ answer: 'b c d', start: 2, end: 7 });
    expect(best?.score).toBeGreaterThan(0.9);
  });

  it('do not end before they start, and lie in the context', () => {
    const [best] = answersFor({ 0: [9, 9], 1: [9, 9], 6: [5, 0], 4: [1, 5] }).candidates;
    expect(best).toMatchObject({ answer: 'b' });
  });

  it('are weighed against none by the first token, in the window where that says least', () => {
    expect(answersFor({ 0: [3, 4.5], 4: [5, 0], 6: [0, 6] }).noAnswerMargin).toBe(7.5 - 11);
    expect(answersFor({ 0: [6, 8], 4: [5, 0], 6: [0, 6] }).noAnswerMargin).toBe(14 - 11);
    const [first, second] = contextWindows({ question: 'a', context }, tokenizer, 10);
    if (first === undefined || second === undefined) throw new Error('there are no two windows');
    const logits = (none: number, best: number) => {
      const values = new Float32Array(2 * 10).fill(-9);
      values.set([none, none], 0);
      values.set([best, best], 2 * 4);
      return values;
    };
    const windows = [logitsOfWindow(first, logits(7, 1), 0), logitsOfWindow(second, logits(2, 6), 0)];
    expect(bestAnswers(context, windows).noAnswerMargin).toBe(2 * 2 - 2 * 6);
  });

  it('have at most 30 tokens', async () => {
    const long = Array.from({ length: 40 }, (_, i) => letters[i % 8]).join(' ');
    const [window] = contextWindows({ question: 'a', context: long }, tokenizer, 64);
    if (window === undefined) throw new Error('there is no window');
    const { length } = window.sequence.ids;
    const values = new Float32Array(length * 2).fill(-9);
    values.set([9, 0], 3 * 2);
    values.set([0, 8], (3 + 30) * 2);
    values.set([0, 7], (3 + 29) * 2);
    const [best] = bestAnswers(long, [logitsOfWindow(window, values, 0)]).candidates;
    expect(best?.answer.split(' ').length).toBe(30);
  });

  it('are none where the context has no tokens', () => {
    const [window] = contextWindows({ question: 'a', context: ' ' }, tokenizer, 48);
    if (window === undefined) throw new Error('there is no window');
    expect(bestAnswers(' ', [logitsOfWindow(window, new Float32Array(8), 0)])).toEqual({
      candidates: [],
      noAnswerMargin: Number.POSITIVE_INFINITY,
    });
  });
});
