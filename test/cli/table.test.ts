import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatOf, parseTable, readTable } from '../../src/cli/data/read-table';
import type { TableOptions } from '../../src/cli/data/table';
import { DataError, FileAccessError } from '../../src/index';

const bytes = (text: string) => new TextEncoder().encode(text);
const rowsOf = (...table: Parameters<typeof parseTable>) => parseTable(...table).rows;
const both: TableOptions = { columns: ['text', 'label'], header: true };
const cells = (rows: readonly { cells: readonly unknown[] }[]) => rows.map((row) => row.cells);

function failure(action: () => unknown): DataError {
  try {
    action();
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
  throw new Error('it was expected to fail');
}

describe('the format', () => {
  it('is told by the file name, in either case', () => {
    expect(formatOf('a/b.tsv')).toBe('tsv');
    expect(formatOf('b.txt')).toBe('tsv');
    expect(formatOf('b.CSV')).toBe('csv');
    expect(formatOf('b.jsonl')).toBe('jsonl');
    expect(formatOf('b.ndjson')).toBe('jsonl');
  });

  it.each(['b.json', 'b', 'b.xlsx', '.csv/b'])('of %s is refused, with those that there are', (file) => {
    expect(failure(() => formatOf(file)).message).toMatch(/\.tsv.*\.csv.*\.jsonl/);
  });
});

describe('TSV', () => {
  it('takes quotes literally and escapes nothing', () => {
    const rows = rowsOf(bytes('text\tlabel\n"a ""b\\t"\t1\n\'c\t0\n'), 'x.tsv', 'tsv', both);
    expect(rows).toEqual([
      { line: 2, cells: ['"a ""b\\t"', '1'] },
      { line: 3, cells: ["'c", '0'] },
    ]);
  });

  it('skips a byte order mark and blank lines, and ends lines with LF or CR LF', () => {
    const rows = rowsOf(bytes('\ufefftext\tlabel\r\na\t1\r\n\r\n\nb\t0'), 'x.tsv', 'tsv', both);
    expect(rows).toEqual([
      { line: 2, cells: ['a', '1'] },
      { line: 5, cells: ['b', '0'] },
    ]);
  });

  it('finds columns by name before index, and by index', () => {
    const content = bytes('1\t0\tx\na\tb\tc\n');
    expect(cells(rowsOf(content, 'x.tsv', 'tsv', { columns: ['0', '2', 'x'], header: true }))).toEqual([
      ['b', 'c', 'c'],
    ]);
    expect(cells(rowsOf(content, 'x.tsv', 'tsv', { columns: ['0', '2'], header: false }))).toEqual([
      ['1', 'x'],
      ['a', 'c'],
    ]);
  });

  it('lists the columns there are where one is unknown', () => {
    const error = failure(() => rowsOf(bytes('sentence\tlabel\na\t1\n'), 'x.tsv', 'tsv', both));
    expect(error.message).toContain('x.tsv: has no column "text"');
    expect(error.message).toContain('"sentence", "label"');
  });

  it('tells the range of indices where there is no header', () => {
    const read = (column: string) => () =>
      rowsOf(bytes('a\tb\tc\n'), 'x.tsv', 'tsv', { columns: [column], header: false });
    for (const column of ['3', 'text', '-1', '1.0', '']) {
      expect(failure(read(column)).message).toContain('the indices are 0 to 2');
    }
  });

  it('explains a file whose columns are not separated by tabs', () => {
    const options = { columns: ['1', '0'], header: false };
    const error = failure(() => rowsOf(bytes('5 How far is it ?\n4 What ?\n'), 'trec.txt', 'tsv', options));
    expect(error.message).toMatch(/no column "1".*1 column.*split at tabs/);
  });

  it('refuses a name that two columns have', () => {
    const error = failure(() => rowsOf(bytes('text\ttext\tlabel\na\tb\t1\n'), 'x.tsv', 'tsv', both));
    expect(error.message).toMatch(/line 1: has more than one column "text".*index/);
  });

  it.each([
    ['too few', 'text\tlabel\na\t1\nb\nc\t0\n'],
    ['too many', 'text\tlabel\na\t1\nb\tb\t1\n'],
  ])('names the line of a row with %s columns', (_, content) => {
    const error = failure(() => rowsOf(bytes(content), 'x.tsv', 'tsv', both));
    expect(error.line).toBe(3);
    expect(error.message).toContain('the first line has 2');
  });

  it.each(['', '\n\r\n', '\ufeff'])('is empty: %j', (content) => {
    expect(failure(() => rowsOf(bytes(content), 'x.tsv', 'tsv', both)).message).toBe('x.tsv: is empty');
  });

  it('holds a header only', () => {
    const error = failure(() => rowsOf(bytes('text\tlabel\n'), 'x.tsv', 'tsv', both));
    expect(error.message).toMatch(/header and no rows.*--no-header/);
  });
});

describe('CSV', () => {
  it('follows RFC 4180: quoted commas, quotes, line breaks', () => {
    const content = 'text,label\r\n"a, ""b""\r\nc",1\r\nd,0\n\n"e\nf",1\n';
    expect(rowsOf(bytes(content), 'x.csv', 'csv', both)).toEqual([
      { line: 2, cells: ['a, "b"\r\nc', '1'] },
      { line: 4, cells: ['d', '0'] },
      { line: 6, cells: ['e\nf', '1'] },
    ]);
  });

  it.each([
    ['a quote that is never closed', 'text,label\na,1\n\n"b,1\nc,0\n', 4],
    ['a quote inside an unquoted field', 'text,label\na,1\nb"c,1\n', 3],
    ['letters after a closing quote', 'text,label\n"a"b,1\n', 2],
  ])('names the line where a record with %s begins', (_, content, line) => {
    const error = failure(() => rowsOf(bytes(content), 'x.csv', 'csv', both));
    expect(error.line).toBe(line);
    expect(error.message).toContain('not sound CSV');
  });

  it('names the line of a row with too few columns', () => {
    const content = 'text,label\n"a\n\nb",1\nc\n';
    expect(failure(() => rowsOf(bytes(content), 'x.csv', 'csv', both)).line).toBe(5);
  });
});

describe('JSONL', () => {
  it('reads keys, whatever their values; --no-header means nothing to it', () => {
    const content = '{"text":"a","label":1,"meta":{"x":1}}\n\n{"label":true,"text":null}\r\n';
    const rows = rowsOf(bytes(content), 'x.jsonl', 'jsonl', { ...both, header: false });
    expect(rows).toEqual([
      { line: 1, cells: ['a', 1] },
      { line: 3, cells: [null, true] },
    ]);
  });

  it('leaves a key that only some lines have undefined, and refuses one that none has', () => {
    const content = bytes('{"text":"a","label":"x"}\n{"text":"b"}\n');
    expect(cells(rowsOf(content, 'x.jsonl', 'jsonl', both))[1]).toEqual(['b', undefined]);
    const error = failure(() => rowsOf(content, 'x.jsonl', 'jsonl', { columns: ['toString'], header: true }));
    expect(error.message).toMatch(/no column "toString".*"text", "label"/);
  });

  it.each(['{"text":', '[1]', '"a"', 'null', '3'])('names the line of %s', (line) => {
    const content = bytes(`{"text":"a","label":1}\n${line}\n`);
    expect(failure(() => rowsOf(content, 'x.jsonl', 'jsonl', both)).line).toBe(2);
  });

  it('takes "__proto__" for a key like any other', () => {
    const content = bytes('{"__proto__":"a","label":1}\n');
    const rows = rowsOf(content, 'x.jsonl', 'jsonl', { columns: ['__proto__', 'label'], header: true });
    expect(cells(rows)).toEqual([['a', 1]]);
  });
});

describe('encoding', () => {
  it.each([
    ['a stray continuation byte', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a sequence cut off by the line end', [0xe2, 0x82]],
  ])('names the line of %s', (_, malformed) => {
    for (const format of ['tsv', 'csv', 'jsonl'] as const) {
      const content = new Uint8Array([...bytes('text\tlabel\né\t1\n'), ...malformed, ...bytes('\nb\t0\n')]);
      const error = failure(() => rowsOf(content, 'x', format, both));
      expect(error.line).toBe(3);
      expect(error.message).toContain('not valid UTF-8');
    }
  });

  it('recognizes UTF-16', () => {
    const error = failure(() => rowsOf(new Uint8Array([0xff, 0xfe, 0x61, 0]), 'x.csv', 'csv', both));
    expect(error.message).toContain('UTF-16');
  });
});

describe('reading from the disk', () => {
  it('tells a missing file and a directory', async () => {
    await expect(readTable('no/such.tsv', both)).rejects.toThrow(FileAccessError);
    await expect(readTable('no/such.tsv', both)).rejects.toThrow('no/such.tsv: there is no such file');
  });
});

describe('whatever a file holds', () => {
  const formats = ['tsv', 'csv', 'jsonl'] as const;
  const pieces = fc.constantFrom(
    'text',
    'label',
    '\t',
    ',',
    '"',
    '\n',
    '\r\n',
    '\r',
    '{',
    '}',
    ':',
    '[',
    'é',
    '\ufeff',
    '0',
  );
  const column = fc.constantFrom('0', '1', 'text', '');
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.array(pieces, { maxLength: 40 }).map((parts) => bytes(parts.join(''))),
  );

  it('gives rows or a DataError, and every line exists', () => {
    fc.assert(
      fc.property(
        content,
        fc.constantFrom(...formats),
        column,
        fc.boolean(),
        (file, format, name, header) => {
          const lines = file.filter((byte) => byte === 0x0a).length + 1;
          try {
            for (const row of rowsOf(file, 'x', format, { columns: [name], header })) {
              expect(row.line).toBeGreaterThanOrEqual(1);
              expect(row.line).toBeLessThanOrEqual(lines);
            }
          } catch (error) {
            expect(error).toBeInstanceOf(DataError);
            if (error instanceof DataError) expect(error.line ?? 1).toBeLessThanOrEqual(lines);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('gives back any cells written as TSV, CSV or JSONL', () => {
    const cell = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 8 }), (rows) => {
        const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
        const csv = [['text', 'label'], ...rows].map((row) => row.map(quote).join(',')).join('\r\n');
        expect(cells(rowsOf(bytes(csv), 'x', 'csv', both))).toEqual(rows);
        const jsonl = rows.map(([text, label]) => JSON.stringify({ text, label })).join('\n');
        expect(cells(rowsOf(bytes(jsonl), 'x', 'jsonl', both))).toEqual(rows);
        const plain = rows.map((row) => row.map((text) => `x${text.replace(/[\t\r\n]/g, ' ')}`));
        const tsv = [['text', 'label'], ...plain].map((row) => row.join('\t')).join('\n');
        expect(cells(rowsOf(bytes(tsv), 'x', 'tsv', both))).toEqual(plain);
      }),
      { numRuns: 300 },
    );
  });
});
