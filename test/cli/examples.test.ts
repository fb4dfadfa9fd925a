import { describe, expect, it } from 'vitest';
import { examplesFromRows, labelsOf, type ReadOptions, readExamples } from '../../src/cli/data/examples';
import { DataError } from '../../src/index';
import { sharedPath } from '../support/shared';

const single: ReadOptions = { text: 'text', label: 'label', header: true, kind: 'classification' };

describe('examples', () => {
  it('take text and label, and the second text of a pair', () => {
    expect(examplesFromRows([{ line: 2, cells: ['a ', ' x '] }], 'f', single)).toEqual([
      { text: 'a ', label: 'x' },
    ]);
    const pairs = { ...single, textPair: 'other' };
    expect(examplesFromRows([{ line: 2, cells: ['a', 'x', 'b'] }], 'f', pairs)).toEqual([
      { text: 'a', pair: 'b', label: 'x' },
    ]);
  });

  it('turn numbers and booleans of JSONL into labels', () => {
    const rows = [1, 2.5, true].map((label, i) => ({ line: i + 1, cells: ['a', label] }));
    expect(examplesFromRows(rows, 'f', single).map(({ label }) => label)).toEqual(['1', '2.5', 'true']);
  });

  it('take the first ones only with a limit, and do not judge the others', () => {
    const rows = [
      { line: 2, cells: ['a', 'x'] },
      { line: 3, cells: ['', ''] },
    ];
    expect(examplesFromRows(rows, 'f', { ...single, limit: 1 })).toHaveLength(1);
  });

  it.each([
    ['an empty text', ['', 'x'], /f, line 7: the text in column "text" is empty/],
    ['a blank text', [' \t', 'x'], /f, line 7: the text/],
    ['a missing text', [undefined, 'x'], /f, line 7: the text/],
    ['an empty label', ['a', ''], /f, line 7: the label in column "label" is empty/],
    ['a blank label', ['a', '  '], /f, line 7: the label/],
    ['a null label', ['a', null], /f, line 7: the label/],
    ['a list', ['a', ['x']], /f, line 7: column "label" holds a list/],
    ['an object', [{}, 'x'], /f, line 7: column "text" holds an object/],
  ])('refuse %s', (_, cells, message) => {
    expect(() => examplesFromRows([{ line: 7, cells }], 'f', single)).toThrow(message);
    expect(() => examplesFromRows([{ line: 7, cells }], 'f', single)).toThrow(DataError);
  });

  it('refuse an empty second text', () => {
    const pairs = { ...single, textPair: 'other' };
    expect(() => examplesFromRows([{ line: 3, cells: ['a', 'x', ''] }], 'f', pairs)).toThrow(
      /line 3: .*"other"/,
    );
  });

  it('refuse a label that the task does not know', () => {
    const known = { ...single, knownLabels: ['x', 'y'] };
    expect(() => examplesFromRows([{ line: 4, cells: ['a', 'z'] }], 'dev.tsv', known)).toThrow(
      /dev\.tsv, line 4: the label "z".*"x", "y"/,
    );
  });

  it.each(['5.000', '-1', '.5', '2e-3', '+4.'])('read the score %s', (score) => {
    const regression: ReadOptions = { ...single, kind: 'regression' };
    const [example] = examplesFromRows([{ line: 2, cells: ['a', score] }], 'f', regression);
    expect(example?.label).toBe(Number(score));
  });

  it.each(['high', '0x10', 'NaN', 'Infinity', '1e999', '1,5', '1 2'])('refuse the score %s', (score) => {
    const regression: ReadOptions = { ...single, kind: 'regression' };
    expect(() => examplesFromRows([{ line: 2, cells: ['a', score] }], 'f', regression)).toThrow(
      /f, line 2: the score .* is not a number/,
    );
  });
});

describe('multi-label examples', () => {
  const multiLabel: ReadOptions = { ...single, kind: 'multi-label' };
  const labelsIn = (cell: unknown, more: Partial<ReadOptions> = {}) =>
    examplesFromRows([{ line: 7, cells: ['a', cell] }], 'f', { ...multiLabel, ...more })[0]?.label;

  it('split a cell at the separator; an empty cell has none', () => {
    expect(labelsIn('x| y |z')).toEqual(['x', 'y', 'z']);
    expect(labelsIn('x')).toEqual(['x']);
    expect(labelsIn('')).toEqual([]);
    expect(labelsIn(' ')).toEqual([]);
    expect(labelsIn('x|y|x')).toEqual(['x', 'y']);
    expect(labelsIn('x, y|z', { labelSeparator: ',' })).toEqual(['x', 'y|z']);
  });

  it('take a list of JSONL as it is', () => {
    expect(labelsIn(['x', 'y|z', 3, true])).toEqual(['x', 'y|z', '3', 'true']);
    expect(labelsIn([])).toEqual([]);
  });

  it.each([
    ['a missing cell', undefined, /f, line 7: a label in column "label" is empty/],
    ['null', null, /line 7: a label in column "label" is empty/],
    ['an empty part', 'x||y', /line 7: a label in column "label" is empty.*between "\|"/],
    ['an empty item', ['x', ''], /line 7: a label in column "label" is empty/],
    ['a list in a list', [['x']], /line 7: column "label" holds a list/],
    ['an object', {}, /line 7: column "label" holds an object/],
  ])('refuse %s', (_, cell, message) => {
    expect(() => labelsIn(cell)).toThrow(DataError);
    expect(() => labelsIn(cell)).toThrow(message);
  });

  it('refuse a label that the task does not know', () => {
    const known = { knownLabels: ['x', 'y'] };
    expect(labelsIn('y|x', known)).toEqual(['y', 'x']);
    expect(() => labelsIn('x|z', known)).toThrow(/f, line 7: the label "z" is none that/);
  });

  it('have the labels of all of them, one at least', () => {
    const of = (...lists: string[][]) =>
      labelsOf(
        lists.map((label) => ({ text: 'a', label })),
        'f',
        { kind: 'multi-label' },
      );
    expect(of(['b', 'a'], [], ['a', 'c'])).toEqual(['a', 'b', 'c']);
    expect(of(['b'])).toEqual(['b']);
    expect(() => of([], [])).toThrow(/f: no example has a label/);
  });
});

describe('labels', () => {
  const labels = (...names: string[]) =>
    labelsOf(
      names.map((label) => ({ text: 'a', label })),
      'f',
      single,
    );

  it('are sorted by value where all are numbers', () => {
    expect(labels('10', '9', '-1', '10', '2.5')).toEqual(['-1', '2.5', '9', '10']);
  });

  it('are sorted by code point otherwise', () => {
    // U+FF5E comes before U+1F600, whose first UTF-16 unit is smaller.
    expect(labels('😀', '～', 'b', 'B', '10', '9', 'ba')).toEqual(['10', '9', 'B', 'b', 'ba', '～', '😀']);
  });

  it('must be two at least', () => {
    expect(() => labels('x', 'x')).toThrow(/f: every example has the label "x"/);
  });
});

const data = sharedPath('data');
if (data === undefined) console.warn('skipped: real data sets; the shared data directory is absent');

describe.skipIf(data === undefined)('real data sets', () => {
  const read = (file: string, options: Partial<ReadOptions>) =>
    readExamples(`${data}/${file}`, { ...single, ...options });

  it('SST-2: tokens with trailing blanks, header', async () => {
    const train = await read('sst2/train.tsv', { text: 'sentence' });
    expect(train).toHaveLength(67_349);
    expect(labelsOf(train, 'f', single)).toEqual(['0', '1']);
    expect(await read('sst2/dev.tsv', { text: 'sentence', knownLabels: ['0', '1'] })).toHaveLength(872);
  });

  it('CoLA: no header, literal quotes', async () => {
    expect(await read('cola/train.tsv', { text: '3', label: '1', header: false })).toHaveLength(8_551);
    expect(await read('cola/dev.tsv', { text: '3', label: '1', header: false })).toHaveLength(1_043);
  });

  it('RTE: pairs', async () => {
    const train = await read('rte/train.tsv', { text: 'sentence1', textPair: 'sentence2' });
    expect(train).toHaveLength(2_490);
    expect(train[0]?.pair).toBe('Weapons of Mass Destruction Found in Iraq.');
    expect(labelsOf(train, 'f', single)).toEqual(['entailment', 'not_entailment']);
  });

  it('STS-B: scores from 0 to 5', async () => {
    const options = { text: 'sentence1', textPair: 'sentence2', label: 'score', kind: 'regression' } as const;
    const train = await read('stsb/train.tsv', options);
    expect(train).toHaveLength(5_749);
    expect(await read('stsb/dev.tsv', options)).toHaveLength(1_500);
    for (const { label } of train) expect(Number(label) >= 0 && Number(label) <= 5).toBe(true);
  });

  it('Banking77: CSV with quoted fields', async () => {
    const train = await read('banking77/train.csv', { label: 'category' });
    expect(train).toHaveLength(10_003);
    expect(labelsOf(train, 'f', single)).toHaveLength(77);
    expect(await read('banking77/test.csv', { label: 'category' })).toHaveLength(3_080);
  });

  it('SMS spam: no header', async () => {
    const all = await read('sms_spam/sms_spam.tsv', { text: '1', label: '0', header: false });
    expect(all).toHaveLength(5_574);
    expect(labelsOf(all, 'f', single)).toEqual(['ham', 'spam']);
  });

  it('TREC is separated by spaces: refused, with the reason', async () => {
    await expect(read('trec/train.txt', { text: '1', label: '0', header: false })).rejects.toThrow(
      /no column "1".*split at tabs/,
    );
  });
});
