import fc from 'fast-check';
import { DataError } from 'graft-ml';
import { describe, expect, it } from 'vitest';
import { guessColumns } from '../../../examples/web/src/worker/data/guess-columns';
import {
  describeTable,
  examplesOf,
  MOST_ROWS,
  parseTable,
  readTable,
} from '../../../examples/web/src/worker/data/read-table';

const guessOf = (text: string, file?: string) => describeTable('t', parseTable(text, file));

describe('a table', () => {
  it('with commas, quotes and a header', async () => {
    const text =
      'id,review,sentiment\r\n1,"Good, really\nvery good",pos\r\n2,"He said ""no""",neg\r\n3,Fine,pos\r\n';
    const table = await readTable(new File([text], 'reviews.csv'));
    expect(table.format).toBe('csv');
    expect(table.columns).toEqual(['id', 'review', 'sentiment']);
    expect(table.rows).toEqual([
      ['1', 'Good, really\nvery good', 'pos'],
      ['2', 'He said "no"', 'neg'],
      ['3', 'Fine', 'pos'],
    ]);
    expect(describeTable('t', table).guess).toEqual({ text: 'review', pair: undefined, label: 'sentiment' });
  });

  it('with semicolons, as spreadsheets write them where commas are decimal', () => {
    const { format, guess } = guessOf('Nachricht;Thema\nWo ist es, bitte?;Versand\nNie wieder, danke;Lob\n');
    expect([format, guess.text, guess.label]).toEqual(['csv', 'Nachricht', 'Thema']);
  });

  it('with tabs, where a quote may be a letter', () => {
    const table = parseTable('text\tlabel\n"Quoted\tstart\nNo "end" here\tnext\n', 'glue.tsv');
    expect(table.rows).toEqual([
      ['"Quoted', 'start'],
      ['No "end" here', 'next'],
    ]);
  });

  it('with tabs and quoted cells, as it is copied from a spreadsheet', () => {
    const table = parseTable('a text\tx\n"two\nlines"\ty\n', undefined);
    expect(table.format).toBe('tsv');
    expect(table.rows.at(-1)).toEqual(['two\nlines', 'y']);
  });

  it('without a header names its columns by number', () => {
    const rows = [
      'I like it',
      'I hate it',
      'I do not know',
      'It is a very long story',
      'No',
      'Yes',
      'Why',
      'So',
    ];
    const text = rows.map((row, i) => `${i % 2 === 0 ? 'pos' : 'neg'}\t${row}`).join('\n');
    const { columns, guess, rowCount } = guessOf(text);
    expect(columns).toEqual(['column 1', 'column 2']);
    expect(rowCount).toBe(8);
    expect(guess).toEqual({ text: 'column 2', pair: undefined, label: 'column 1' });
  });

  it('in JSONL, with keys that some lines lack', () => {
    const { columns, guess, preview } = guessOf(
      '{"premise":"A man sleeps","hypothesis":"He rests","score":4.5}\n\n{"premise":"A dog","score":0,"extra":true}\n',
    );
    expect(columns).toEqual(['premise', 'hypothesis', 'score', 'extra']);
    expect(preview[1]).toEqual(['A dog', '', '0', 'true']);
    expect(guess).toEqual({ text: 'premise', pair: 'hypothesis', label: 'score' });
  });

  it('of plain lines, commas or not, has no labels', () => {
    for (const text of ['It is good, really\nNever again, please\nWhy, oh why\n', 'One line, one example']) {
      const table = parseTable(text, undefined);
      expect(table.format).toBe('lines');
      const { guess } = describeTable('t', table);
      expect(guess.label).toBe('');
      expect(examplesOf(table, guess).every(({ label }) => label === '')).toBe(true);
    }
  });

  it('in UTF-16 with its mark is read', async () => {
    const text = '\ufefftext\tlabel\nÄpfel\tgut\nBirnen\tgut\n';
    const units = Uint16Array.from(text, (unit) => unit.charCodeAt(0));
    const table = await readTable(new File([units], 'unicode.txt'));
    expect(table.rows[0]).toEqual(['Äpfel', 'gut']);
  });

  it('becomes examples, without rows that are empty', () => {
    const table = parseTable('text,pair,label\nA,B, x \n,,\nC,,y\n', 'a.csv');
    expect(examplesOf(table, { text: 'text', pair: 'pair', label: 'label' })).toEqual([
      { text: 'A', pair: 'B', label: 'x' },
      { text: 'C', pair: '', label: 'y' },
    ]);
    expect(() => examplesOf(table, { text: 'body', label: 'label' })).toThrow(
      'there is no column "body". The columns are text, pair, label',
    );
  });
});

describe('what is no table', () => {
  it.each([
    [
      'an open quote',
      'text,label\ngood,pos\n"bad,neg\nfine,pos\n',
      'a.csv',
      'a.csv, line 3: is not sound CSV',
    ],
    [
      'a cell too many',
      'text,label\r\n"a\r\nb",x\r\nI said, no,y\r\n',
      'a.csv',
      'a.csv, line 4: has 3 columns',
    ],
    ['broken JSON', '{"text":"a","label":"x"}\n{"text":\n', 'a.jsonl', 'a.jsonl, line 2: is not JSON'],
    ['a list in JSON', '{"text":["a"],"label":"x"}\n', undefined, 'line 1: "text" holds a list'],
    ['nothing', ' \n', 'a.csv', 'a.csv: is empty'],
    ['a header alone', 'text,label\n', 'a.csv', undefined],
  ])('%s: the error names the line', (_, text, file, message) => {
    if (message === undefined) {
      // One line may as well be an example.
      expect(parseTable(text, file).rows).toEqual([['text', 'label']]);
      return;
    }
    expect(() => parseTable(text, file)).toThrow(DataError);
    expect(() => parseTable(text, file)).toThrow(message);
  });

  it('bytes that are not UTF-8: the error names the line', async () => {
    const bytes = Uint8Array.from([...new TextEncoder().encode('text,label\nok,x\n'), 0xe4, 0x2c, 0x79]);
    await expect(readTable(new File([bytes], 'latin1.csv'))).rejects.toThrow(
      'latin1.csv, line 3: is not valid UTF-8',
    );
  });

  it('too many rows', () => {
    const text = `text,label\n${'good text,pos\n'.repeat(MOST_ROWS + 1)}`;
    expect(() => parseTable(text, 'big.csv')).toThrow('has more than 100000 rows');
  });
});

describe('any text', () => {
  it('is a table or a DataError', () => {
    const piece = fc.constantFrom(
      'a',
      ' b',
      '"',
      '""',
      ',',
      ';',
      '\t',
      '|',
      '\n',
      '\r\n',
      '{"text":',
      '1',
      '}',
      'é',
      '\0',
    );
    let tables = 0;
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 40 }),
        fc.constantFrom(undefined, 'a.csv', 'a.tsv', 'a.jsonl'),
        (pieces, file) => {
          try {
            const { columns, rows } = parseTable(pieces.join(''), file);
            tables += 1;
            expect(new Set(columns).size).toBe(columns.length);
            expect(rows.every((row) => row.length === columns.length)).toBe(true);
            expect(columns).toContain(guessColumns(columns, rows).text);
          } catch (error) {
            expect(error).toBeInstanceOf(DataError);
          }
        },
      ),
      { numRuns: 2000 },
    );
    expect(tables).toBeGreaterThan(500);
  });
});
