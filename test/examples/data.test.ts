/** The example data is what its README says: enough of it, balanced, clean, and nothing in it twice. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { labelsOf, readExamples } from '../../src/cli/data/examples';

const directory = join(import.meta.dirname, '..', '..', 'examples', 'data');
const splits = ['train', 'dev'] as const;

interface Row {
  /** For messages: file and line. */
  readonly place: string;
  readonly text: string;
  readonly label: string;
}

function readRows(name: string, split: string): { header: string; rows: Row[] } {
  const file = `${name}.${split}.tsv`;
  const [header = '', ...lines] = readFileSync(join(directory, file), 'utf8').replace(/\n$/, '').split('\n');
  const rows = lines.map((line, index) => {
    const place = `${file}:${index + 2}`;
    const [text, label, ...more] = line.split('\t');
    if (text === undefined || label === undefined || more.length > 0)
      throw new Error(`${place}: not two cells`);
    return { place, text, label };
  });
  return { header, rows };
}

/** Lower-case words and numbers. */
function tokensOf(text: string): ReadonlySet<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []);
}

/** |a ∩ b| / |a ∪ b| (Jaccard). */
function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const both = [...a].filter((token) => b.has(token)).length;
  return both / (a.size + b.size - both);
}

/** Pairs of rows that share at least `threshold` of their tokens. */
function nearDuplicates(rows: readonly Row[], threshold: number): string[] {
  const tokens = rows.map(({ text }) => tokensOf(text));
  const found: string[] = [];
  for (const [i, a] of tokens.entries()) {
    for (const [j, b] of tokens.slice(0, i).entries()) {
      if (overlap(a, b) >= threshold) found.push(`${rows[j]?.place} and ${rows[i]?.place}`);
    }
  }
  return found;
}

/** At least so many examples, and of the most frequent label at most so many times the rarest. */
const large = { kind: 'classification', least: { train: 300, dev: 100 }, spread: 1.1 } as const;

describe.each([
  {
    name: 'messages',
    column: 'topic',
    labels: ['account', 'billing', 'delivery', 'returns', 'technical'],
    ...large,
  },
  { name: 'reviews', column: 'sentiment', labels: ['negative', 'positive'], ...large },
  { name: 'requests', column: 'urgency', labels: ['now', 'soon', 'whenever'], ...large },
  {
    name: 'stays',
    column: 'aspects',
    labels: ['food', 'noise', 'price', 'room', 'staff'],
    kind: 'multi-label' as const,
    least: { train: 140, dev: 50 },
    spread: 1.5,
  },
])('examples/data, $name', ({ name, column, labels, kind, least, spread }) => {
  const { train, dev } = {
    train: readRows(name, 'train'),
    dev: readRows(name, 'dev'),
  };
  const all = [...train.rows, ...dev.rows];

  it('has enough examples, as many as its README says', () => {
    expect(train.rows.length).toBeGreaterThanOrEqual(least.train);
    expect(dev.rows.length).toBeGreaterThanOrEqual(least.dev);
    const readme = readFileSync(join(directory, 'README.md'), 'utf8');
    const line = readme.split('\n').find((row) => row.startsWith(`| \`${name}.`));
    expect(line).toContain(`| ${train.rows.length} / ${dev.rows.length} |`);
  });

  it('has the columns and labels that the command finds', async () => {
    for (const split of splits) {
      const path = join(directory, `${name}.${split}.tsv`);
      const examples = await readExamples(path, {
        text: 'text',
        label: column,
        header: true,
        kind,
      });
      expect(labelsOf(examples, path, { kind })).toEqual(labels);
      expect(examples.length).toBe({ train, dev }[split].rows.length);
    }
    expect([train.header, dev.header]).toEqual([`text\t${column}`, `text\t${column}`]);
  });

  it('has about equally many of each label', () => {
    for (const { rows } of [train, dev]) {
      const counts = labels.map((label) => rows.filter((row) => row.label.split('|').includes(label)).length);
      expect(Math.max(...counts)).toBeLessThanOrEqual(spread * Math.min(...counts));
    }
  });

  it('holds clean text: no blanks at the ends, no control characters, quotes in pairs and none in front', () => {
    for (const { place, text } of all) {
      expect(text, place).toBe(text.trim());
      expect(text, place).not.toMatch(/\p{C}| {2}|^"/u);
      expect(text.split('"').length % 2, place).toBe(1);
    }
  });

  it('has no example twice, nor nearly, within a split or across', () => {
    expect(new Set(all.map(({ text }) => text.toLowerCase())).size).toBe(all.length);
    expect(nearDuplicates(all, 0.7)).toEqual([]);
  });
});

it('the search for near duplicates finds them', () => {
  const rows = [
    'The driver rang once and drove off',
    'the driver rang twice and drove off!',
    'Nothing like it',
  ].map((text, index) => ({ place: String(index), text, label: 'x' }));
  expect(nearDuplicates(rows, 0.7)).toEqual(['0 and 1']);
});
