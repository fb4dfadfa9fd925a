// Against Hugging Face's tokenizers, with a vocabulary made here: needs no data.
import { beforeAll, describe, expect, it } from 'vitest';
import { Tokenizer } from '../../src/tokenizer/tokenizer';
import { expectDigest, golden, rows } from './golden';
import { everyCodePoint, randomTexts } from './synthetic';

const vocabulary = everyCodePoint();
const codePointTexts: string[] = [];
for (let c = 0; c < 0x110000; c++) {
  if (c < 0xd800 || c >= 0xe000) codePointTexts.push(`a${String.fromCodePoint(c)}b`);
}

describe.each(golden.synthetic)(
  'lower case $lowercase, strip accents $stripAccents, Chinese $handleChineseCharacters',
  ({ codePoints, mixed, ...options }) => {
    let tokenizer: Tokenizer;
    beforeAll(async () => {
      tokenizer = await Tokenizer.load({ vocabulary, fileName: 'every code point', ...options });
    });

    it('does to every code point what Hugging Face does', () => {
      expectDigest(rows(tokenizer.encodeBatch(codePointTexts)), codePoints, golden.codePointChunk);
    });

    it('gives the same ids for random mixtures of what meets in normalisation', () => {
      expectDigest(rows(tokenizer.encodeBatch(randomTexts(mixed.texts))), mixed);
    });
  },
);

it('truncates pairs as Hugging Face does, for every way two lengths and a maximum can meet', async () => {
  const tokenizer = await Tokenizer.load({
    vocabulary,
    lowercase: false,
    fileName: 'every code point',
  });
  const found: Uint32Array[] = [];
  let cut = 0;
  for (let maxLength = 3; maxLength < 17; maxLength++) {
    for (let n = 0; n < 13; n++) {
      for (let m = 0; m < 13; m++) {
        const { ids, typeIds, truncated } = tokenizer.encode('a'.repeat(n), 'b'.repeat(m), { maxLength });
        expect(truncated).toBe(n + m + 3 > maxLength);
        cut += Number(truncated);
        // Type 1 begins after the first [SEP].
        const firstSep = ids.indexOf(tokenizer.specialTokens.sep);
        expect([...typeIds]).toEqual(Array.from(ids, (_, i) => Number(i > firstSep)));
        found.push(ids);
      }
    }
  }
  expect(cut).toBeGreaterThan(1000);
  expectDigest(found, golden.lengths);
});
