// Against Hugging Face's tokenizers, on real text with real vocabularies: needs the shared data.
import { beforeAll, describe, expect, it } from 'vitest';
import { Tokenizer } from '../../src/tokenizer/tokenizer';
import { parseTokenizerJson } from '../../src/tokenizer/tokenizer-json';
import { expectDigest, golden, rows } from './golden';
import { data, lines, read, TEXTS } from './texts';

const MODELS: Readonly<Record<string, { folder: string; lowercase: boolean }>> = {
  uncased: { folder: 'bert-base-uncased', lowercase: true },
  cased: { folder: 'bert-base-cased', lowercase: false },
  multilingual: { folder: 'bert-base-multilingual-cased', lowercase: false },
  chinese: { folder: 'bert-base-chinese', lowercase: false },
  'chinese, lower case': { folder: 'bert-base-chinese', lowercase: true },
};

describe.skipIf(data === undefined)('the ids of Hugging Face', () => {
  describe.each(Object.entries(golden.real))('%s', (name, digests) => {
    const { folder, lowercase } = MODELS[name] ?? { folder: name, lowercase: false };
    let tokenizer: Tokenizer;
    beforeAll(async () => {
      const vocabulary = read('vocab', folder, 'vocab.txt');
      tokenizer = await Tokenizer.load({ vocabulary, lowercase, fileName: `${folder}/vocab.txt` });
    });

    it.each(Object.entries(digests))('%s', (set, expected) => {
      expectDigest(rows(tokenizer.encodeBatch(TEXTS[set]?.() ?? [])), expected);
    });

    it.each(golden.examples[name] ?? [])('$text', ({ text, ids }) => {
      expect([...tokenizer.encode(text).ids]).toEqual(ids);
    });
  });

  it('covers every set of texts', () => {
    for (const digests of Object.values(golden.real))
      expect(Object.keys(digests)).toEqual(Object.keys(TEXTS));
  });

  it('tokenizer.json: the same ids as vocab.txt', async () => {
    const tokenizer = await Tokenizer.load(
      parseTokenizerJson(read('vocab/bert-base-uncased/tokenizer.json'), 'tokenizer.json'),
    );
    expect(tokenizer.vocabularySize).toBe(30522);
    for (const set of ['blns', 'cola', 'xquad.el']) {
      const expected = golden.real.uncased?.[set];
      if (expected === undefined) throw new Error(`no golden for ${set}`);
      expectDigest(rows(tokenizer.encodeBatch(TEXTS[set]?.() ?? [])), expected);
    }
  });

  it('truncated texts and pairs of RTE', async () => {
    const tokenizer = await Tokenizer.load({
      vocabulary: read('vocab/bert-base-uncased/vocab.txt'),
      lowercase: true,
      fileName: 'vocab.txt',
    });
    const jobs = lines('rte/train.tsv')
      .slice(1)
      .map((line, i) => {
        const [, first = '', second = ''] = line.split('\t');
        return { first, second, maxLength: 3 + ((i * 37) % 126) };
      });
    const pairs = jobs.map(
      ({ first, second, maxLength }) => tokenizer.encode(first, second, { maxLength }).ids,
    );
    expectDigest(pairs, golden.pairs);
    const singles = jobs.map(({ first, maxLength }) => tokenizer.encode(first, undefined, { maxLength }).ids);
    expectDigest(singles, golden.singles);
  });
});
