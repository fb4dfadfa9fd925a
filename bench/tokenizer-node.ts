/** The tokenizer on the lines of FILE, up to the first tab of each, one thread:  npm run bench -- tokenizer VOCAB FILE [cased] */
import { readFileSync } from 'node:fs';
import { formatTokenizerRate, measureTokenizer } from './tokenizer';

const [vocabulary, file, casing] = process.argv.slice(2);
if (vocabulary === undefined || file === undefined) {
  console.error('usage: npm run bench -- tokenizer VOCAB FILE [cased]');
  process.exit(2);
}
const texts = readFileSync(file, 'utf8')
  .split('\n')
  .map((line) => line.split('\t')[0] ?? '');
const rate = await measureTokenizer(readFileSync(vocabulary), texts, { lowercase: casing !== 'cased' });
console.log(formatTokenizerRate(file, rate));
