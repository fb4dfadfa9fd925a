import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseParquet } from '../../src/cli/data/parquet/parse';
import { DataError } from '../../src/index';
import { failureOf, mutations } from './support';

const folder = join(import.meta.dirname, '..', 'golden', 'parquet');
const fixture = (name: string) => new Uint8Array(readFileSync(join(folder, name)));
const golden: Record<string, Record<string, unknown>[]> = JSON.parse(
  readFileSync(join(folder, 'rows.json'), 'utf8'),
);
const header = true;

/** The rows as objects, of all columns that the golden ones have. */
function rowsOf(name: string, columns: readonly string[]): Record<string, unknown>[] {
  const { rows } = parseParquet(fixture(name), name, { columns, header });
  return rows.map(({ cells }) => Object.fromEntries(columns.map((column, i) => [column, cells[i]])));
}

const CLASSES: Record<string, readonly string[]> = {
  label: ['bad', 'good', 'fair'],
  ner_tags: ['O', 'B-x', 'I-x'],
};

/** pyarrow's rows, with names for the classes. */
function named(row: Record<string, unknown>): Record<string, unknown> {
  const name = (value: unknown, names: readonly string[]): unknown =>
    Array.isArray(value) ? value.map((item) => name(item, names)) : names[Number(value)];
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      CLASSES[column] ? name(value, CLASSES[column]) : value,
    ]),
  );
}

describe('Parquet', () => {
  it.each(Object.keys(golden).filter((name) => name !== 'empty.parquet'))(
    'gives the rows that pyarrow wrote: %s',
    (name) => {
      const expected = golden[name] ?? [];
      const columns = Object.keys(expected[0] ?? {});
      const rows = rowsOf(name, columns);
      expect(rows).toHaveLength(expected.length);
      for (const [i, row] of rows.entries()) expect(row, `row ${i}`).toEqual(named(expected[i] ?? {}));
    },
  );

  it('gives digits where no number holds an integer', () => {
    const { rows } = parseParquet(fixture('big.parquet'), 'big.parquet', {
      columns: ['signed', 'unsigned', 'small'],
      header,
    });
    expect(rows.map(({ cells }) => cells)).toEqual([
      ['-9223372036854775808', '18446744073709551615', 4294967295],
      [-9007199254740991, 9007199254740991, 0],
    ]);
  });

  it('reads the asked columns alone, by name or index, and their classes', () => {
    const table = parseParquet(fixture('snappy.parquet'), 'x', {
      columns: ['label', '0', 'tokens'],
      header,
      limit: 2,
    });
    expect(table.rows).toEqual([
      { line: 1, cells: ['bad', 'row 0 – ', []] },
      { line: 2, cells: ['good', 'row 1 – é😀中', ['t0']] },
    ]);
    expect([...table.classNames]).toEqual([['label', ['bad', 'good', 'fair']]]);
  });

  it('names the columns there are where one is unknown, unless it is optional', () => {
    const options = { columns: ['text', 'no'], header };
    expect(failureOf(() => parseParquet(fixture('snappy.parquet'), 'x', options)).message).toMatch(
      /x: has no column "no".*"text", "maybe"/,
    );
    const { rows } = parseParquet(fixture('snappy.parquet'), 'x', { ...options, optional: ['no'] });
    expect(rows[0]?.cells).toEqual(['row 0 – ', undefined]);
  });

  it('stops at the limit, within a row group or behind it', () => {
    const read = (limit: number) =>
      parseParquet(fixture('pages.parquet'), 'x', { columns: ['text'], header, limit });
    expect([3, 5, 7, 12, 99].map((limit) => read(limit).rows.length)).toEqual([3, 5, 7, 12, 12]);
  });

  it('says what it does not read', () => {
    const read = (name: string, column: string) => () =>
      parseParquet(fixture(name), name, { columns: [column], header });
    expect(read('odd.parquet', 'text')).toThrow(/odd\.parquet: holds pages compressed by LZ4.*pyarrow/);
    for (const column of ['when', 'price']) {
      expect(read('odd-types.parquet', column)).toThrow(
        new RegExp(`holds bytes, dates or decimal numbers in "${column}"`),
      );
    }
    expect(read('odd-types.parquet', 'binary')).toThrow(/bytes in "binary" that are no UTF-8/);
    expect(read('odd-types.parquet', 'text')().rows[0]?.cells).toEqual(['a']);
    expect(read('odd-types.parquet', 'map')().rows[0]?.cells).toEqual([
      { key_value: [{ key: 'k', value: 1 }] },
    ]);
  });
});

describe('a Parquet file from anywhere', () => {
  it.each([
    ['nothing', new Uint8Array()],
    ['another file', new TextEncoder().encode('text\tlabel\na\tb\n')],
    ['the beginning alone', fixture('snappy.parquet').subarray(0, 4000)],
  ])('is refused where it is %s', (_, bytes) => {
    expect(failureOf(() => parseParquet(bytes, 'x', { columns: ['text'], header })).message).toMatch(
      /^x: is no Parquet file, or its end is missing/,
    );
  });

  it('is refused where its footer begins before it', () => {
    const bytes = fixture('snappy.parquet');
    new DataView(bytes.buffer).setUint32(bytes.length - 8, 0xffffffff, true);
    expect(() => parseParquet(bytes, 'x', { columns: ['text'], header })).toThrow(
      /footer is longer than the file/,
    );
  });

  it.each([
    ['many-rows.parquet', 'text', /has more than 8388608 rows.*--limit/],
    ['many-items.parquet', 'tokens', /has more values than can be read at once/],
  ])('is refused where it would fill the memory: %s', (name, column, message) => {
    const bytes = fixture(name);
    expect(bytes.length).toBeLessThan(100_000);
    expect(failureOf(() => parseParquet(bytes, name, { columns: [column], header })).message).toMatch(
      message,
    );
  });

  // A library that fills what a run announces takes gigabytes for some of these, and ends the process.
  it.each([
    'none',
    'snappy',
    'gzip',
    'zstd',
    'brotli',
    'version2',
    'plain',
    'encodings',
    'encodings1',
    'old',
    'pages',
  ])(
    'is read or refused with a typed error, in little time and memory: %s',
    (name) => {
      const file = `${name}.parquet`;
      const bytes = fixture(file);
      const columns = Object.keys(golden[file]?.[0] ?? {});
      fc.assert(
        fc.property(mutations(bytes, 3), fc.constantFrom(...columns), (mutant, column) => {
          const start = performance.now();
          try {
            parseParquet(mutant, file, { columns: [column], header });
          } catch (error) {
            if (!(error instanceof DataError)) throw error;
            expect(error.file).toBe(file);
          }
          // What is decoded of 20 kB takes milliseconds; a run of all that is allowed takes some 200.
          expect(performance.now() - start).toBeLessThan(5000);
        }),
        { numRuns: 400 },
      );
    },
    120_000,
  );
});
