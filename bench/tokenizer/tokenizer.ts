import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { exampleMessages } from '../example-texts';
import { defineTable, type Table } from '../report/table';
import { syntheticVocabulary } from '../synthetic-vocabulary';
import { measureTokenizer } from './measure';

export interface TokenizerRequest {
  /** A `vocab.txt`, and a file whose lines' first columns are the texts; the repository's small examples where undefined. */
  readonly files: { readonly vocabulary: string; readonly text: string } | undefined;
  /** Of an uncased vocabulary. */
  readonly lowercase: boolean;
  readonly runs: number;
}

/** The examples are repeated to about this many bytes. */
const EXAMPLE_BYTES = 1e6;

export async function benchTokenizer({ files, lowercase, runs }: TokenizerRequest): Promise<Table> {
  const { name, texts, vocabulary } = files === undefined ? repeatedExamples() : readFiles(files);
  const rate = await measureTokenizer(vocabulary, texts, { lowercase, runs });
  return defineTable({
    name: 'tokenizer',
    title: 'Tokenizer, one thread, strings in, ids out',
    notes: [],
    columns: [
      { key: 'file', label: 'file' },
      { key: 'texts', label: 'texts', digits: 0 },
      { key: 'megabytes', label: 'MB' },
      { key: 'tokens', label: 'tokens', digits: 0 },
      { key: 'megabytesPerSecond', label: 'MB/s, median' },
      { key: 'best', label: 'MB/s, best' },
      { key: 'megatokensPerSecond', label: 'M tokens/s' },
    ],
    rows: [
      {
        file: name,
        texts: texts.length,
        megabytes: rate.bytes / 1e6,
        tokens: rate.tokens,
        megabytesPerSecond: rate.megabytesPerSecond,
        best: rate.best,
        megatokensPerSecond: rate.tokensPerSecond / 1e6,
      },
    ],
  });
}

function readFiles({ vocabulary, text }: { readonly vocabulary: string; readonly text: string }) {
  const texts = readFileSync(text, 'utf8')
    .split('\n')
    .map((line) => line.split('\t')[0] ?? '');
  return { name: basename(text), texts, vocabulary: readFileSync(vocabulary) };
}

function repeatedExamples() {
  const once = exampleMessages().map(({ text }) => text);
  const characters = once.reduce((sum, text) => sum + text.length, 0);
  const texts = Array.from({ length: Math.ceil(EXAMPLE_BYTES / characters) }, () => once).flat();
  const vocabulary = new TextEncoder().encode(syntheticVocabulary(once));
  return { name: 'examples/data, repeated', texts, vocabulary };
}
