/** What heads make of labels, logits and weights; their losses are held against PyTorch in heads-golden.test.ts. */
import { describe, expect, it } from 'vitest';
import { DataError, OptionError } from '../../src/errors';
import { IGNORED_LABEL } from '../../src/ops/cross_entropy';
import type { EncodedExample } from '../../src/training/batches';
import { makeHead } from '../../src/training/heads';
import { loadTokenizer } from '../../src/training/load-tokenizer';
import type { ClassWeights, Example, TaskKind } from '../../src/training/types';
import { goldenPath } from '../support/checkpoint';

const tokenizer = await loadTokenizer(goldenPath('bert', 'checkpoint'));
const limits = { maxLength: 16 };
const example = (label: Example['label']): Example => ({ text: 'never', label });

function numbers(kind: TaskKind, labels: readonly string[], ...given: Example['label'][]) {
  const { examples } = makeHead(kind, labels).encodeExamples(given.map(example), tokenizer, limits);
  return examples.map((encoded) => Array.from(encoded.labels));
}

describe('labels', () => {
  it('become numbers: of a class, of each label, or themselves', () => {
    expect(numbers('classification', ['a', 'b', '3'], 'b', 3, 'a')).toEqual([[1], [2], [0]]);
    expect(numbers('multi-label', ['a', 'b', 'c'], ['c', 'a'], [], ['b', 'b'])).toEqual([
      [1, 0, 1],
      [0, 0, 0],
      [0, 1, 0],
    ]);
    expect(numbers('regression', [], 2.5, '-1')).toEqual([[2.5], [-1]]);
  });

  it.each<[TaskKind, readonly string[], Example['label'], RegExp]>([
    ['classification', ['a', 'b'], 'c', /example 2: its label "c" is not one of .* \("a", "b"\)/],
    ['classification', ['a', 'b'], ['a'], /example 2: its label \["a"\] is not one of/],
    [
      'multi-label',
      ['a', 'b'],
      ['a', 'c'],
      /example 2: its label \["a","c"\] is not a list of .* \("a", "b"\)/,
    ],
    ['multi-label', ['a', 'b'], 'a', /example 2: its label "a" is not a list/],
    ['regression', [], 'high', /example 2: its label "high" is not a finite number/],
    ['regression', [], '', /example 2: its label "" is not a finite number/],
    ['regression', [], [], /example 2: its label \[\] is not a finite number/],
  ])('of a %s task with %o are refused: %o', (kind, labels, wrong, message) => {
    const right = kind === 'regression' ? 1 : kind === 'multi-label' ? ['a'] : 'a';
    const encode = () => numbers(kind, labels, right, wrong);
    expect(encode).toThrow(DataError);
    expect(encode).toThrow(message);
  });

  it.each<[TaskKind, readonly string[], RegExp]>([
    ['classification', ['a'], /at least two labels/],
    ['classification', ['a', 'b', 'a'], /labels: "a" is there twice/],
    ['multi-label', [], /at least one label/],
    ['multi-label', ['b', 'b'], /labels: "b" is there twice/],
    ['regression', ['a'], /a regression task has none/],
  ])('a %s task cannot have: %o', (kind, labels, message) => {
    expect(() => makeHead(kind, labels)).toThrow(OptionError);
    expect(() => makeHead(kind, labels)).toThrow(message);
  });
});

describe('a multi-label task', () => {
  const head = makeHead('multi-label', ['a', 'b', 'c']);

  it('predicts what is more probable than not, perhaps nothing', () => {
    const set = head.encodeTexts(['never', 'ever'], tokenizer, limits);
    expect(set.sequences.length).toBe(2);
    const [first, second] = set.predictions(Float32Array.from([2, -1, 0.5, -3, -2, 0]));
    expect(first).toEqual({
      labels: ['a', 'c'],
      scores: {
        a: expect.closeTo(1 / (1 + Math.exp(-2)), 12),
        b: expect.closeTo(1 / (1 + Math.exp(1)), 12),
        c: expect.closeTo(1 / (1 + Math.exp(-0.5)), 12),
      },
    });
    expect(second).toMatchObject({ labels: [], scores: { c: 0.5 } });
  });

  it('is scored by the micro F1; the loss does not overflow', () => {
    const set = head.encodeExamples([example(['a']), example(['b', 'c'])], tokenizer, limits);
    const { metrics, score } = set.evaluate(Float32Array.from([5, -5, -5, -5, 1000, -5]));
    // Hits: a, b; missed: c.
    expect(metrics).toMatchObject({ exactMatch: 0.5, microF1: 0.8, labelF1: [1, 1, 0], examples: 2 });
    expect(score).toBe(0.8);
    const small = Math.log1p(Math.exp(-5));
    expect(metrics.loss).toBeCloseTo((4 * small + 5 + small) / 6, 12);
  });
});

describe('weights of classes', () => {
  const encoded = (rows: readonly number[][]): EncodedExample[] =>
    rows.map((labels) => ({ ids: [1], typeIds: [0], labels, weight: 1 }));
  const weigh = (kind: TaskKind, choice: ClassWeights, rows: readonly number[][]) =>
    makeHead(kind, ['a', 'b', 'c']).weigh?.(choice, encoded(rows));

  it('balanced, are examples / (labels · examples with the label); a label without examples does not count', () => {
    const weighing = weigh('classification', 'balanced', [[0], [2], [2], [2]]);
    expect(weighing?.weights).toEqual(Float32Array.from([4 / (2 * 1), 1, 4 / (2 * 3)]));
    expect(weighing?.examples.map(({ weight }) => weight)).toEqual([
      2,
      ...new Array(3).fill(Math.fround(2 / 3)),
    ]);
  });

  it('balanced in a token classification, are words / (labels · words with the label), a text weighs what its words do', () => {
    const rows = [
      [IGNORED_LABEL, 0, 0],
      [2, 0, IGNORED_LABEL],
    ];
    const weighing = weigh('token-classification', 'balanced', rows);
    expect(weighing?.weights).toEqual(Float32Array.from([4 / (2 * 3), 1, 4 / (2 * 1)]));
    const common = Math.fround(2 / 3);
    expect(weighing?.examples.map(({ weight }) => weight)).toEqual([2 * common, 2 + common]);
  });

  it('balanced in a multi-label task, are examples without the label / with it', () => {
    const rows = [
      [1, 0, 1],
      [0, 0, 1],
      [0, 0, 1],
      [0, 0, 1],
    ];
    const weighing = weigh('multi-label', 'balanced', rows);
    expect(weighing?.weights).toEqual(Float32Array.from([3, 1, 1]));
    expect(weighing?.examples.map(({ weight }) => weight)).toEqual([1, 1, 1, 1]);
  });

  it('given, are 1 for what is not named', () => {
    const weighing = weigh('classification', { c: 2.5, a: 0.5 }, [[2], [1], [0]]);
    expect(weighing?.weights).toEqual(Float32Array.from([0.5, 1, 2.5]));
    expect(weighing?.examples.map(({ weight }) => weight)).toEqual([2.5, 1, 0.5]);
  });

  it.each<[ClassWeights, RegExp]>([
    [{ d: 1 }, /classWeights: "d" is not one of the task's labels/],
    [{ a: 0 }, /classWeights: 0 for "a" is not a number above 0/],
    [{ a: Number.NaN }, /NaN for "a"/],
    [{ toString: 1 }, /"toString" is not one/],
  ])('are refused: %o', (choice, message) => {
    for (const kind of ['classification', 'multi-label', 'token-classification'] as const) {
      expect(() => weigh(kind, choice, [[0]])).toThrow(OptionError);
      expect(() => weigh(kind, choice, [[0]])).toThrow(message);
    }
  });

  it('are none of a regression', () => {
    expect(makeHead('regression', []).weigh).toBeUndefined();
  });
});
