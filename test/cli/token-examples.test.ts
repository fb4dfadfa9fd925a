import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTokenExamples, readTokenExamples } from '../../src/cli/data/token-examples';
import { DataError, FileAccessError } from '../../src/index';
import { sharedPath } from '../support/shared';
import { failureOf, mutations } from './support';

const file = (name: string, text: string) => ({ name, bytes: new TextEncoder().encode(text) });
const conll = (text: string) => parseTokenExamples(file('x.conll', text));
const jsonl = (text: string) => parseTokenExamples(file('x.jsonl', text));

describe('CoNLL columns', () => {
  it('give a sentence for each block of lines, with the line where it begins', () => {
    expect(conll('\nA\tB-x\nb\tI-x\n\n\r\nc\tO\r\n')).toEqual([
      { line: 2, id: undefined, tokens: ['A', 'b'], labels: ['B-x', 'I-x'] },
      { line: 6, id: undefined, tokens: ['c'], labels: ['O'] },
    ]);
  });

  it('take the first column and the last, whatever stands between, and spaces where there is no tab', () => {
    const text = '-DOCSTART- -X- -X- O\n\nEU NNP  B-NP B-ORG \nU S\tNNP\tB-LOC\n\u00a0\tO\n';
    expect(conll(text).map(({ tokens, labels }) => [tokens, labels])).toEqual([
      [
        ['EU', 'U S', '\u00a0'],
        ['B-ORG', 'B-LOC', 'O'],
      ],
    ]);
  });

  it('end a sentence at a line of white space, too', () => {
    expect(conll('a O\n\t\nb O\n \nc O')).toHaveLength(3);
  });

  it.each([
    ['a token alone', 'a\tO\nb\n', 2, 'no tag'],
    ['an empty tag', 'a\t\n', 1, 'no tag'],
    ['an empty token', 'a O\n\n\tO\n', 3, 'no token'],
  ])('name the line of %s', (_, text, line, problem) => {
    const error = failureOf(() => conll(text));
    expect(error.line).toBe(line);
    expect(error.message).toContain(problem);
  });

  it.each(['', '\n\n', '-DOCSTART- O\n\n'])('hold no sentence: %j', (text) => {
    expect(failureOf(() => conll(text)).message).toBe('x.conll: holds no sentence');
  });
});

describe('rows of tokens', () => {
  it('are read from JSONL: tags, else ner_tags, texts or numbers', () => {
    const rows = [
      { id: 7, tokens: ['a', 'b'], tags: ['O', 'B-x'], ner_tags: [9, 9] },
      { tokens: ['c'], ner_tags: [3] },
    ];
    expect(jsonl(rows.map((row) => JSON.stringify(row)).join('\n'))).toEqual([
      { line: 1, id: '7', tokens: ['a', 'b'], labels: ['O', 'B-x'] },
      { line: 2, id: undefined, tokens: ['c'], labels: ['3'] },
    ]);
  });

  it('are read from columns of other names', () => {
    const row = file('x.ndjson', JSON.stringify({ words: ['a'], pos: ['N'], tags: ['O'] }));
    expect(parseTokenExamples(row, { tokens: 'words', tags: 'pos' })[0]).toMatchObject({
      tokens: ['a'],
      labels: ['N'],
    });
  });

  it.each([
    ['{"tokens":["a"],"tags":["O","O"]}', /line 2: has 1 tokens and 2 labels/],
    ['{"tokens":[],"tags":[]}', /line 2: has no tokens/],
    ['{"tokens":"a","tags":["O"]}', /line 2: column "tokens" holds a text/],
    ['{"tokens":["a",""],"tags":["O","O"]}', /line 2: column "tokens" holds an empty text at place 2/],
    ['{"tokens":["a"],"tags":[null]}', /line 2: column "tags" or "ner_tags" holds nothing at place 1/],
    ['{"tokens":["a"],"tags":[" "]}', /line 2: .*an empty text at place 1/],
    ['{"tokens":["a"],"tags":[true]}', /line 2: .*true at place 1/],
    ['{"tokens":["a"]}', /line 2: column "tags" or "ner_tags" holds nothing\./],
  ])('are refused: %s', (row, message) => {
    expect(() => jsonl(`{"tokens":["a"],"tags":["O"]}\n${row}\n`)).toThrow(message);
  });

  it('need their columns', () => {
    expect(() => jsonl('{"words":["a"]}')).toThrow(/no column "tokens".*"words"/);
  });
});

describe('whatever a file of tokens holds', () => {
  const samples = [
    file('x.conll', '-DOCSTART- O\n\nEU B-ORG\nrejects O\n\nGerman\tX\tB-MISC\né\tO\n'),
    file('x.jsonl', '{"tokens":["a","é"],"tags":["O","B-x"]}\n{"tokens":["c"],"ner_tags":[3],"id":"q"}\n'),
  ];

  it.each(samples)('is read or refused with a typed error: $name', ({ name, bytes }) => {
    const lines = (mutant: Uint8Array) => mutant.filter((byte) => byte === 0x0a).length + 1;
    fc.assert(
      fc.property(mutations(bytes), (mutant) => {
        try {
          for (const { line, tokens, labels } of parseTokenExamples({ name, bytes: mutant })) {
            expect(line).toBeLessThanOrEqual(lines(mutant));
            expect(labels).toHaveLength(tokens.length);
            expect([...tokens, ...labels]).not.toContain('');
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
  it('stops at the limit, and tells a missing file', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'graft-conll-'));
    const path = join(directory, 'words.conll');
    writeFileSync(path, 'one\tO\n\ntwo\tB-x\n\nthree\tO\n');
    expect(await readTokenExamples(path, { limit: 2 })).toMatchObject([
      { tokens: ['one'] },
      { tokens: ['two'] },
    ]);
    rmSync(directory, { recursive: true });
    await expect(readTokenExamples('no/such.conll')).rejects.toThrow(FileAccessError);
  });

  const wnut = sharedPath('data', 'wnut17');
  if (wnut === undefined) console.log('WNUT17 is not read: shared/data/wnut17 is absent');
  // Sentences as Derczynski et al. 2017 count them (3,394 are in a training file whose blank lines hold a tab); tokens are the lines
  // that are not blank.
  it.skipIf(wnut === undefined).each([
    ['wnut17train.conll', 3394],
    ['emerging.dev.conll', 1009],
    ['emerging.test.annotated', 1287],
  ])('WNUT17 is read whole: %s', async (name, sentences) => {
    const path = `${wnut}/${name}`;
    const examples = await readTokenExamples(path);
    expect(examples).toHaveLength(sentences);
    const tokens = examples.flatMap((example) => example.tokens);
    const lines = readFileSync(path, 'utf8').split('\n');
    expect(tokens).toHaveLength(lines.filter((line) => /\t\S/.test(line)).length);
    const labels = new Set(examples.flatMap((example) => example.labels));
    const types = ['corporation', 'creative-work', 'group', 'location', 'person', 'product'];
    expect([...labels].sort()).toEqual([...types.map((t) => `B-${t}`), ...types.map((t) => `I-${t}`), 'O']);
  });
});
