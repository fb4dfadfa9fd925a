import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { TokenizerOptions } from '../../src/tokenizer/options';
import { exampleMessages } from '../example-texts';
import { defineTable, type Table } from '../report/table';
import { syntheticBytePairs } from '../synthetic-byte-pairs';
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
  const texts = files === undefined ? repeatedExamples() : textsOf(files.text);
  const tokenizers =
    files === undefined ? syntheticTokenizers(texts, lowercase) : [wordPieceOf(files, lowercase)];
  const rows = [];
  for (const { model, options } of tokenizers) {
    const rate = await measureTokenizer(options, texts, runs);
    rows.push({
      file: files === undefined ? 'examples/data, repeated' : basename(files.text),
      model,
      texts: texts.length,
      megabytes: rate.bytes / 1e6,
      tokens: rate.tokens,
      megabytesPerSecond: rate.megabytesPerSecond,
      best: rate.best,
      megatokensPerSecond: rate.tokensPerSecond / 1e6,
    });
  }
  return defineTable({
    name: 'tokenizer',
    title: 'Tokenizer, one thread, strings in, ids out',
    notes: [],
    columns: [
      { key: 'file', label: 'file' },
      { key: 'model', label: 'model' },
      { key: 'texts', label: 'texts', digits: 0 },
      { key: 'megabytes', label: 'MB' },
      { key: 'tokens', label: 'tokens', digits: 0 },
      { key: 'megabytesPerSecond', label: 'MB/s, median' },
      { key: 'best', label: 'MB/s, best' },
      { key: 'megatokensPerSecond', label: 'M tokens/s' },
    ],
    rows,
  });
}

interface Contestant {
  readonly model: string;
  readonly options: TokenizerOptions;
}

function wordPieceOf({ vocabulary }: { readonly vocabulary: string }, lowercase: boolean): Contestant {
  return {
    model: 'WordPiece',
    options: { vocabulary: readFileSync(vocabulary), lowercase, fileName: vocabulary },
  };
}

function syntheticTokenizers(texts: readonly string[], lowercase: boolean): Contestant[] {
  const vocabulary = new TextEncoder().encode(syntheticVocabulary(texts));
  return [
    { model: 'WordPiece', options: { vocabulary, lowercase, fileName: 'vocabulary' } },
    { model: 'byte-level BPE', options: syntheticBytePairs(texts) },
  ];
}

function textsOf(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split('\t')[0] ?? '');
}

function repeatedExamples(): string[] {
  const once = exampleMessages().map(({ text }) => text);
  const characters = once.reduce((sum, text) => sum + text.length, 0);
  return Array.from({ length: Math.ceil(EXAMPLE_BYTES / characters) }, () => once).flat();
}
