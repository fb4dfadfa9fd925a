// Where tokens come from, against Hugging Face's tokenizers: test/golden/spans.py says what is compared.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { OptionError } from '../../src/errors';
import { parseMerges, parseVocabJson } from '../../src/tokenizer/byte-pair-files';
import type { TokenizerOptions } from '../../src/tokenizer/options';
import { Tokenizer } from '../../src/tokenizer/tokenizer';
import { parseTokenizerJson } from '../../src/tokenizer/tokenizer-json';
import { everyPair, mixedTexts, smallFile, smallOptions } from './byte-pair-golden';
import { type Digest, expectDigest } from './golden';
import { everyCodePoint, randomTexts } from './synthetic';
import { data, lines, read, TEXTS } from './texts';

interface SpansGolden {
  readonly most: number;
  readonly real: Readonly<Record<string, Readonly<Record<string, Digest>>>>;
  readonly windows: Readonly<
    Record<string, readonly (Digest & { readonly maxLength: number; readonly stride: number })[]>
  >;
  readonly words: Readonly<Record<string, Digest & { readonly maxLength: number }>>;
  readonly synthetic: readonly {
    readonly lowercase: boolean;
    readonly stripAccents: boolean;
    readonly handleChineseCharacters: boolean;
    readonly codePoints: Digest;
    readonly mixed: Digest;
  }[];
  readonly bytePair: Readonly<Record<'small' | 'prefixSpace' | 'everyPair' | 'addedTokens', Digest>>;
}

const golden: SpansGolden = JSON.parse(
  readFileSync(new URL('../golden/spans.json', import.meta.url), 'utf8'),
);

/** Start and end of each token of a text, special ones left out. */
function spansOf(tokenizer: Tokenizer, text: string): number[] {
  const { ids, texts, starts, ends } = tokenizer.trace(text);
  const same = tokenizer.encode(text).ids;
  // Not by `expect`, which takes longer than all the rest.
  if (ids.length !== same.length || ids.some((id, i) => id !== same[i])) {
    throw new Error(
      `${JSON.stringify(text)} has other tokens when it is traced: ${ids.join()}, not ${same.join()}`,
    );
  }
  const spans: number[] = [];
  for (let i = 0; i < ids.length; i++) {
    if (texts[i] === 0) spans.push(starts[i] ?? 0, ends[i] ?? 0);
  }
  return spans;
}

function expectSpans(tokenizer: Tokenizer, texts: readonly string[], expected: Digest): void {
  expectDigest(
    texts.map((text) => spansOf(tokenizer, text)),
    expected,
  );
}

describe.each(golden.synthetic)(
  'the spans of Hugging Face: lower case $lowercase, strip accents $stripAccents, Chinese $handleChineseCharacters',
  ({ codePoints, mixed, ...options }) => {
    let tokenizer: Tokenizer;
    beforeAll(async () => {
      tokenizer = await Tokenizer.load({
        vocabulary: everyCodePoint(),
        fileName: 'every code point',
        ...options,
      });
    });

    it('one code point between two letters', () => {
      const texts: string[] = [];
      for (let c = 0; c < 0x110000; c++) {
        if ((c < 0xd800 || c >= 0xe000) && (c < 0x3000 || c % 16 === 0))
          texts.push(`a${String.fromCodePoint(c)}b`);
      }
      expectSpans(tokenizer, texts, codePoints);
    });

    it('random mixtures of what meets in normalisation', () => {
      expectSpans(tokenizer, randomTexts(mixed.texts), mixed);
    });
  },
);

describe('the spans of Hugging Face: byte-level BPE', () => {
  const { small, prefixSpace, everyPair: pairs, addedTokens } = golden.bytePair;
  it.each([
    ['as RoBERTa has it', smallOptions(), small],
    ['with a blank put in front', { ...smallOptions(), addPrefixSpace: true }, prefixSpace],
    ['tokens that cut code points', everyPair(), pairs],
  ])('random mixtures, %s', async (_, options: TokenizerOptions, expected) => {
    expectSpans(await Tokenizer.load(options), mixedTexts(expected.texts), expected);
  });

  it('added tokens that take blanks along', async () => {
    const pieces = ['ab', 'abc', 'k<ma', '<mask>', '1', ' ', '\u3000', 'the', '\n'];
    const texts = pieces.flatMap((a) =>
      pieces.flatMap((b) => pieces.flatMap((c) => pieces.map((d) => a + b + c + d))),
    );
    const file = smallFile('added_tokens.json');
    expectSpans(await Tokenizer.load(parseTokenizerJson(file, 'added_tokens.json')), texts, addedTokens);
  });
});

const BERT: Readonly<Record<string, { folder: string; lowercase: boolean }>> = {
  uncased: { folder: 'bert-base-uncased', lowercase: true },
  cased: { folder: 'bert-base-cased', lowercase: false },
  multilingual: { folder: 'bert-base-multilingual-cased', lowercase: false },
  chinese: { folder: 'bert-base-chinese', lowercase: false },
  'chinese, lower case': { folder: 'bert-base-chinese', lowercase: true },
};

function load(name: string): Promise<Tokenizer> {
  const bert = BERT[name];
  if (bert !== undefined) {
    const vocabulary = read('vocab', bert.folder, 'vocab.txt');
    return Tokenizer.load({ vocabulary, lowercase: bert.lowercase, fileName: `${bert.folder}/vocab.txt` });
  }
  return Tokenizer.load({
    vocabulary: parseVocabJson(read('vocab/roberta-base/vocab.json'), 'vocab.json'),
    merges: parseMerges(read('vocab/roberta-base/merges.txt'), 'merges.txt'),
    addPrefixSpace: name === 'roberta, prefix space',
    fileName: 'vocab.json',
  });
}

interface Squad {
  readonly data: readonly {
    readonly paragraphs: readonly {
      readonly context: string;
      readonly qas: readonly { readonly question: string }[];
    }[];
  }[];
}

/** Question and context of each. */
function questions(language: string): [string, string][] {
  const squad: Squad = JSON.parse(read(`xquad/xquad.${language}.json`).toString());
  return squad.data.flatMap(({ paragraphs }) =>
    paragraphs.flatMap(({ context, qas }) =>
      qas.map(({ question }): [string, string] => [question, context]),
    ),
  );
}

/** The words of each sentence. */
function sentences(file: string): string[][] {
  const found: string[][] = [[]];
  for (const line of read('wnut17', file).toString().split('\n')) {
    // U+FEFF is no blank to Python.
    if (/^[ \t\r]*$/.test(line)) found.push([]);
    else found.at(-1)?.push(line.split('\t')[0] ?? '');
  }
  return found.filter((words) => words.length > 0);
}

describe.skipIf(data === undefined)('the spans of Hugging Face on real texts', () => {
  describe.each(Object.entries(golden.real))('%s', (name, digests) => {
    let tokenizer: Tokenizer;
    beforeAll(async () => {
      tokenizer = await load(name);
    });

    it.each(Object.entries(digests))('%s', (set, expected) => {
      const texts = TEXTS[set]?.() ?? [];
      expectSpans(tokenizer, set === 'normalization' ? texts : texts.slice(0, golden.most), expected);
    });
  });

  it('covers every set of texts', () => {
    for (const digests of Object.values(golden.real))
      expect(Object.keys(digests).sort()).toEqual(Object.keys(TEXTS).sort());
  });

  describe.each(Object.entries(golden.windows))('windows, %s', (name, expected) => {
    it.each(expected)('of $maxLength tokens, $stride shared', async ({ maxLength, stride, ...digest }) => {
      const [, model = '', language = ''] = /^(\w+) (\w+)$/.exec(name) ?? [];
      const tokenizer = await load(model);
      const rows = questions(language).flatMap(([question, context]) =>
        tokenizer
          .traceWindows(question, context, { maxLength, stride })
          .map(({ ids, texts, starts, ends }) => [
            ...ids,
            ...Array.from(texts).flatMap((text, i) => (text === 1 ? [starts[i] ?? 0, ends[i] ?? 0] : [0, 0])),
          ]),
      );
      expectDigest(rows, digest);
    });
  });

  it.each(Object.entries(golden.words))('words, %s', async (name, { maxLength, ...digest }) => {
    const tokenizer = await load(name === 'roberta, prefix space' ? 'roberta' : name);
    const rows = [...sentences('emerging.dev.conll'), ...sentences('wnut17train.conll')].map((words) => {
      const found = tokenizer.traceWords(words, { maxLength });
      return [...found.ids, ...Array.from(found.words, (word) => word >>> 0)];
    });
    expectDigest(rows, digest);
  });

  it('truncated texts and pairs are those of encode', async () => {
    for (const name of ['uncased', 'roberta']) {
      const tokenizer = await load(name);
      for (const [i, line] of lines('rte/train.tsv').slice(1, 800).entries()) {
        const [, first = '', second = ''] = line.split('\t');
        const maxLength = 4 + ((i * 37) % 126);
        for (const pair of [undefined, second]) {
          const traced = tokenizer.trace(first, pair, { maxLength });
          expect(traced).toMatchObject(tokenizer.encode(first, pair, { maxLength }));
        }
      }
    }
  });
});

describe('windows', () => {
  const words = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const vocabulary = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...words];
  const windows = async (maxLength: number, stride: number, context = words.join(' ')) => {
    const tokenizer = await Tokenizer.load({ vocabulary, lowercase: true, fileName: 'vocab.txt' });
    return tokenizer
      .traceWindows('a b', context, { maxLength, stride })
      .map(({ ids }) => tokenizer.decode(ids).replace(/^\[CLS\] a b \[SEP\] | ?\[SEP\]$/g, ''));
  };

  it('share tokens with the one before', async () => {
    expect(await windows(9, 2)).toEqual(['a b c d', 'c d e f', 'e f g']);
    expect(await windows(9, 0)).toEqual(['a b c d', 'e f g']);
    expect(await windows(12, 6)).toEqual(['a b c d e f g']);
    expect(await windows(12, 0, '')).toEqual(['']);
  });

  it('refuse a first text that leaves no room, and a stride that is none', async () => {
    await expect(windows(9, 4)).rejects.toThrow(OptionError);
    await expect(windows(5, 0)).rejects.toThrow('leaves 0 tokens');
    await expect(windows(9, -1)).rejects.toThrow('stride');
    await expect(windows(9, 0.5)).rejects.toThrow('stride');
  });
});
