import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { labelsOf, readLabelledData } from '../../src/cli/data/examples';
import { readTable } from '../../src/cli/data/read-table';
import { parseSpanExamples } from '../../src/cli/data/span-examples';
import { parseTokenExamples } from '../../src/cli/data/token-examples';

const folder = join(import.meta.dirname, '..', 'golden', 'parquet');
const fixture = (name: string) => new Uint8Array(readFileSync(join(folder, name)));
const header = true;

describe('a Parquet file among the formats', () => {
  it('is empty where it has no rows', async () => {
    const path = join(folder, 'empty.parquet');
    await expect(readTable(path, { columns: ['text'], header })).rejects.toThrow(`${path}: is empty`);
  });

  it('gives tokens with tags, and questions with answers', () => {
    const tokens = parseTokenExamples({ name: 'structured.parquet', bytes: fixture('structured.parquet') });
    expect(tokens).toEqual([
      { line: 1, id: 't1', tokens: ['Ada', 'met', 'Bob'], labels: ['B-PER', 'O', 'B-PER'] },
      { line: 2, id: 't2', tokens: ['Oslo'], labels: ['O'] },
    ]);
    const spans = parseSpanExamples({ name: 'structured.parquet', bytes: fixture('structured.parquet') });
    expect(spans.map(({ answers }) => answers)).toEqual([[{ text: 'Bob', start: 11 }], []]);
  });

  it('gives labels in the order of its classes, whatever is in its first rows', async () => {
    const path = join(folder, 'snappy.parquet');
    const options = { text: 'text', label: 'label', header, kind: 'classification', limit: 2 } as const;
    const { examples, classNames } = await readLabelledData(path, options);
    expect(examples).toEqual([
      { text: 'row 0 – ', label: 'bad' },
      { text: 'row 1 – é😀中', label: 'good' },
    ]);
    expect(labelsOf(examples, path, { kind: 'classification', classNames })).toEqual(['bad', 'good', 'fair']);
    expect(() => labelsOf(examples.slice(0, 1), path, { kind: 'classification', classNames })).toThrow(
      /every example has the label "bad"/,
    );
  });

  it('gives scores to a regression', async () => {
    const options = { text: 'text', label: 'score', header, kind: 'regression', limit: 3 } as const;
    const { examples, classNames } = await readLabelledData(join(folder, 'zstd.parquet'), options);
    expect(examples.map(({ label }) => label)).toEqual([0, 1 / 7, 2 / 7]);
    expect(classNames).toBeUndefined();
  });
});
