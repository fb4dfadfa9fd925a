// RoBERTa's tokenizer against Hugging Face's, on real text: needs the shared data. Written by test/golden/byte_pair.py.
import { beforeAll, describe, expect, it } from 'vitest';
import { parseMerges, parseVocabJson } from '../../src/tokenizer/byte-pair-files';
import { Tokenizer } from '../../src/tokenizer/tokenizer';
import { bytePairGolden as golden, mixedTexts } from './byte-pair-golden';
import { expectDigest, rows } from './golden';
import { data, lines, read, TEXTS } from './texts';

describe.skipIf(data === undefined)('RoBERTa, the ids of Hugging Face', () => {
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    tokenizer = await Tokenizer.load({
      vocabulary: parseVocabJson(read('vocab/roberta-base/vocab.json'), 'vocab.json'),
      merges: parseMerges(read('vocab/roberta-base/merges.txt'), 'merges.txt'),
      fileName: 'vocab.json',
    });
  });

  it.each(Object.entries(golden.roberta))('%s', (set, expected) => {
    expectDigest(rows(tokenizer.encodeBatch(TEXTS[set]?.() ?? [])), expected);
  });

  it('covers every set of texts', () => {
    expect(Object.keys(golden.roberta)).toEqual(Object.keys(TEXTS));
  });

  it.each(golden.robertaExamples)('$text', ({ text, ids, decoded }) => {
    expect([...tokenizer.encode(text).ids]).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(decoded);
  });

  it('random mixtures of what meets in the pattern', () => {
    expectDigest(rows(tokenizer.encodeBatch(mixedTexts(20_000))), golden.robertaMixed);
  });

  it('truncated texts and pairs of RTE', () => {
    const jobs = lines('rte/train.tsv')
      .slice(1)
      .map((line, i) => {
        const [, first = '', second = ''] = line.split('\t');
        return { first, second, maxLength: 4 + ((i * 37) % 126) };
      });
    const pairs = jobs.map(
      ({ first, second, maxLength }) => tokenizer.encode(first, second, { maxLength }).ids,
    );
    expectDigest(pairs, golden.robertaPairs);
    const singles = jobs.map(({ first, maxLength }) => tokenizer.encode(first, undefined, { maxLength }).ids);
    expectDigest(singles, golden.robertaSingles);
  });
});
