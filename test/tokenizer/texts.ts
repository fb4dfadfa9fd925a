// The texts of the shared data that ids are compared on: `data_sets` of test/golden/tokenizer.py.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { sharedPath } from '../support/shared';

/** Undefined where it is not there; a test that needs it is then skipped, which is said once. */
export const data = sharedPath('data');
if (data === undefined)
  console.log('Skipped: real text and vocabularies, for the shared data is not there (set GRAFT_SHARED)');

export const read = (...parts: string[]) => readFileSync(`${data}/${parts.join('/')}`);
export const lines = (...files: string[]) =>
  files.flatMap((file) => read(file).toString().split('\n')).filter(Boolean);

interface Squad {
  readonly data: readonly {
    readonly paragraphs: readonly {
      readonly context: string;
      readonly qas: readonly { readonly question: string }[];
    }[];
  }[];
}

function xquad(language: string): string[] {
  const squad: Squad = JSON.parse(read(`xquad/xquad.${language}.json`).toString());
  return squad.data.flatMap(({ paragraphs }) =>
    paragraphs.flatMap(({ context, qas }) => [context, ...qas.map(({ question }) => question)]),
  );
}

function normalization(): string[] {
  const rows = gunzipSync(read('conformance/NormalizationTest-14.0.0.txt.gz')).toString().split('\n');
  return rows
    .filter((row) => row !== '' && !/^[#@]/.test(row))
    .flatMap((row) => row.split(';').slice(0, 5))
    .map((field) => String.fromCodePoint(...field.split(' ').map((point) => Number.parseInt(point, 16))));
}

export const TEXTS: Readonly<Record<string, () => readonly string[]>> = {
  sst2: () => lines('sst2/train.tsv', 'sst2/dev.tsv'),
  cola: () => lines('cola/train.tsv', 'cola/dev.tsv'),
  banking77: () => lines('banking77/train.csv', 'banking77/test.csv'),
  blns: () => JSON.parse(read('conformance/blns.json').toString()),
  'xquad.ar': () => xquad('ar'),
  'xquad.el': () => xquad('el'),
  'xquad.en': () => xquad('en'),
  'xquad.hi': () => xquad('hi'),
  'xquad.zh': () => xquad('zh'),
  normalization,
};
