// Byte-level BPE against Hugging Face's tokenizers: what needs no data. Written by test/golden/byte_pair.py.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { FileFormatError, OptionError, UnsupportedModelError } from '../../src/errors';
import { BYTE_CHARACTERS } from '../../src/tokenizer/byte-alphabet';
import { parseMerges, parseVocabJson } from '../../src/tokenizer/byte-pair-files';
import { Tokenizer } from '../../src/tokenizer/tokenizer';
import { parseTokenizerJson } from '../../src/tokenizer/tokenizer-json';
import {
  everyPair,
  bytePairGolden as golden,
  mixedTexts,
  SPECIAL_TOKENS,
  smallFile,
  smallOptions,
} from './byte-pair-golden';
import { expectDigest, rows, golden as wordPieceGolden } from './golden';

const utf8 = (text: string) => new TextEncoder().encode(text);
const ownTexts = ['messages', 'requests', 'reviews'].flatMap((name) =>
  readFileSync(new URL(`../../examples/data/${name}.train.tsv`, import.meta.url), 'utf8')
    .split('\n')
    .slice(1)
    .filter(Boolean)
    .map((line) => line.split('\t')[0] ?? ''),
);

describe('the ids of Hugging Face', () => {
  let small: Tokenizer;
  beforeAll(async () => {
    small = await Tokenizer.load(smallOptions());
  });

  it.each(golden.small.examples)('$text', ({ text, ids, decoded }) => {
    const encoding = small.encode(text);
    expect([...encoding.ids]).toEqual(ids);
    expect([...encoding.typeIds]).toEqual(ids.map(() => 0));
    expect(small.decode(ids)).toBe(decoded);
  });

  it('for the texts it was trained on, and for random mixtures of what meets in the pattern', () => {
    expectDigest(rows(small.encodeBatch(ownTexts)), golden.small.ownTexts);
    expectDigest(rows(small.encodeBatch(mixedTexts(20_000))), golden.small.mixed);
  });

  it('with a space in front', async () => {
    const tokenizer = await Tokenizer.load({ ...smallOptions(), addPrefixSpace: true });
    expectDigest(rows(tokenizer.encodeBatch(mixedTexts(20_000))), golden.small.mixedPrefixSpace);
  });

  it('read from tokenizer.json', async () => {
    const tokenizer = await Tokenizer.load(parseTokenizerJson(smallFile('tokenizer.json'), 'tokenizer.json'));
    expect(tokenizer.specialTokens).toEqual(small.specialTokens);
    expectDigest(rows(tokenizer.encodeBatch(mixedTexts(20_000))), golden.small.mixed);
  });

  it('for added tokens that overlap and take blanks along, in every order', async () => {
    const tokenizer = await Tokenizer.load(
      parseTokenizerJson(smallFile('added_tokens.json'), 'tokenizer.json'),
    );
    const pieces = ['ab', 'abc', 'k<ma', '<mask>', '1', ' ', '\u3000', 'the', '\n'];
    const withPieces = (texts: string[]) => texts.flatMap((text) => pieces.map((piece) => text + piece));
    expectDigest(rows(tokenizer.encodeBatch(withPieces(withPieces(withPieces(pieces))))), golden.addedTokens);
  });

  it('for every code point beside letters, numbers, marks and blanks', async () => {
    const tokenizer = await Tokenizer.load(everyPair());
    const texts: string[] = [];
    for (let c = 0; c < 0x110000; c++) {
      const char = String.fromCodePoint(c);
      if (c < 0xd800 || c >= 0xe000) texts.push(`a${char}1${char}!${char} ${char}`);
    }
    const { codePoints, mixed } = golden.everyPair;
    expectDigest(rows(tokenizer.encodeBatch(texts)), codePoints, wordPieceGolden.codePointChunk);
    expectDigest(rows(tokenizer.encodeBatch(mixedTexts(20_000))), mixed);
  });

  it.each(golden.randomMerges)('for merges in any order', async ({ tokens, merges, texts, ids }) => {
    const bytes = BYTE_CHARACTERS.filter((character) => !tokens.includes(character));
    const tokenizer = await Tokenizer.load({
      vocabulary: [...SPECIAL_TOKENS, ...tokens, ...bytes],
      merges: parseMerges(utf8(merges.join('\n')), 'merges.txt'),
      fileName: 'random',
    });
    expect(texts.some(({ length }) => length > 64)).toBe(true);
    expect(texts.map((text) => tokenizer.encode(text).ids.subarray(1, -1).join(' '))).toEqual(ids);
  });

  it('for every way two lengths and a maximum can meet', () => {
    const found: Uint32Array[] = [];
    for (let maxLength = 4; maxLength < 17; maxLength++) {
      for (let n = 0; n < 10; n++) {
        for (let m = 0; m < 10; m++) {
          found.push(small.encode('! '.repeat(n), '? '.repeat(m), { maxLength }).ids);
        }
      }
    }
    expectDigest(found, golden.lengths);
  });

  it('and its text for tokens that are cut or stand for no bytes', () => {
    for (const { ids, text } of golden.decoded) expect(small.decode(ids)).toBe(text);
  });

  it('one by one as in a batch, with U+0000 in some texts or in none', () => {
    const texts = golden.small.examples.map(({ text }) => text);
    expect(rows(small.encodeBatch(texts))).toEqual(texts.map((text) => small.encode(text).ids));
    const without = texts.filter((text) => !text.includes('\0'));
    expect(rows(small.encodeBatch(without))).toEqual(without.map((text) => small.encode(text).ids));
  });

  it('a pair has four special tokens', () => {
    const { cls, sep } = small.specialTokens;
    const pair = [...small.encode('a', 'b').ids];
    expect([pair[0], pair[2], pair[3], pair[5], pair.length]).toEqual([cls, sep, sep, sep, 6]);
    expect([...small.encode('a', 'b', { maxLength: 4 }).ids]).toEqual([cls, sep, sep, sep]);
    expect(() => small.encode('a', 'b', { maxLength: 3 })).toThrow(OptionError);
  });
});

describe('long words', () => {
  // A quadratic loop would take hours.
  it('of a megabyte take time that follows their length', async () => {
    const tokenizer = await Tokenizer.load(smallOptions());
    const million = 1_000_000;
    const same = tokenizer.encode('a'.repeat(million)).ids;
    expect(same.length).toBeGreaterThan(2);
    expect(tokenizer.decode(same.subarray(1, -1))).toBe('a'.repeat(million));
    const mixed = 'thequickbrownfox'.repeat(million / 16);
    expect(tokenizer.decode(tokenizer.encode(mixed).ids.subarray(1, -1))).toBe(mixed);
  });

  it.each([63, 64, 65, 66, 200])('of %d bytes have the ids that their pieces have', async (length) => {
    // No merge leads beyond a pair, so that the ids of long words follow from those of short ones.
    const tokenizer = await Tokenizer.load(everyPair());
    const short = [...tokenizer.encode('xy'.repeat(4)).ids.subarray(1, -1)];
    const ids = [...tokenizer.encode('xy'.repeat(length).slice(0, length)).ids.subarray(1, -1)];
    const x = tokenizer.encode('x').ids[1];
    const half = Math.floor(length / 2);
    expect(ids).toEqual([...Array.from({ length: half }, () => short[0]), ...(length % 2 === 1 ? [x] : [])]);
  });
});

describe('bad input', () => {
  const load = (changes: object) => Tokenizer.load({ ...smallOptions(), ...changes });
  const { vocabulary, merges } = smallOptions();

  it.each<[string, object, RegExp]>([
    ['no tokens', { vocabulary: [] }, /vocab.json: no tokens/],
    ['a token twice', { vocabulary: [...vocabulary, 'a'] }, /the token "a" is also the token/],
    [
      'a byte without a token',
      { vocabulary: vocabulary.map((t) => (t === 'Ġ' ? 'x!' : t)) },
      /byte 32 has no token "Ġ"/,
    ],
    ['no <s>', { vocabulary: vocabulary.map((t) => (t === '<s>' ? '<S>' : t)) }, /<s> is missing/],
    [
      'a merge of what is no token',
      { merges: [['a', 'no such']] },
      /merges.txt, merge 1 .*no token "no such"/,
    ],
    ['a merge to what is no token', { merges: [...merges, ['Z', 'Q']] }, /no token "ZQ"/],
    ['a merge twice', { merges: [...merges, ...merges.slice(0, 1)] }, /merge \d+ .*it is there twice/],
  ])('%s', async (_, changes, message) => {
    const loading = load(changes);
    await expect(loading).rejects.toThrow(FileFormatError);
    await expect(loading).rejects.toThrow(message);
  });

  it.each<[string, string, RegExp]>([
    ['one token', '#version: 0.2\na b\nc\n', /merges.txt, line 3: two tokens/],
    ['three tokens', 'a b c', /line 1: two tokens.*"a b c"/],
    ['an empty line', 'a b\n\nc d\n', /line 2: two tokens/],
  ])('a line with %s', (_, text, message) => {
    expect(() => parseMerges(utf8(text), 'merges.txt')).toThrow(FileFormatError);
    expect(() => parseMerges(utf8(text), 'merges.txt')).toThrow(message);
  });

  it('merges with the line ends of Windows, with and without a version and a last line end', () => {
    const expected = [
      ['a', 'b'],
      ['#', 'c'],
    ];
    for (const text of ['#version: 0.2\na b\n# c\n', 'a b\r\n# c\r\n', 'a b\n# c']) {
      expect(parseMerges(utf8(text), 'merges.txt')).toEqual(expected);
    }
  });

  it('a vocab.json that is none', () => {
    for (const text of ['[]', '{"a": 1}', '{"a": 0, "b": 0}', '{"a": "0"}', '{']) {
      expect(() => parseVocabJson(utf8(text), 'vocab.json')).toThrow(FileFormatError);
    }
  });

  const file = (change: (json: Record<string, Record<string, unknown>>) => void) => {
    const json = JSON.parse(new TextDecoder().decode(smallFile('tokenizer.json')));
    change(json);
    return () => parseTokenizerJson(utf8(JSON.stringify(json)), 'tokenizer.json');
  };

  it.each<[string, string, string, unknown]>([
    ['a normalizer', '', 'normalizer', { type: 'NFC' }],
    ['another pre-tokenizer', 'pre_tokenizer', 'type', 'Metaspace'],
    ['another pattern', 'pre_tokenizer', 'use_regex', false],
    ['dropout', 'model', 'dropout', 0.1],
    ['whole words first', 'model', 'ignore_merges', true],
    ['ends of words', 'model', 'end_of_word_suffix', '</w>'],
    ["GPT-2's processor", '', 'post_processor', { type: 'ByteLevel' }],
    ['no processor', '', 'post_processor', null],
    ['tokens that are whole words', '', 'added_tokens', [{ id: 0, content: '<s>', single_word: true }]],
  ])('does not support %s', (_, part, key, value) => {
    const read = file((json) => {
      Object.assign((part === '' ? json : json[part]) ?? {}, { [key]: value });
    });
    expect(read).toThrow(UnsupportedModelError);
  });

  it.each<[string, string, unknown]>([
    ['no merges', 'merges', undefined],
    ['a merge of three', 'merges', [['a', 'b', 'c']]],
    ['a merge of numbers', 'merges', [[1, 2]]],
    ['no vocabulary', 'vocab', []],
  ])('%s', (_, key, value) => {
    const read = file(({ model }) => {
      Object.assign(model ?? {}, { [key]: value });
    });
    expect(read).toThrow(FileFormatError);
  });

  it('takes merges written in either way, and a template for the processor', async () => {
    const read = file((json) => {
      const merges = json.model?.merges;
      const part = (kind: string, id: string) => ({ [kind]: { id, type_id: 0 } });
      const [cls, sep] = [part('SpecialToken', '<s>'), part('SpecialToken', '</s>')];
      const single = [cls, part('Sequence', 'A'), sep];
      const pair = [...single, sep, part('Sequence', 'B'), sep];
      Object.assign(json.model ?? {}, {
        type: undefined,
        merges: Array.isArray(merges) ? merges.map((merge) => merge.join(' ')) : [],
      });
      Object.assign(json, { post_processor: { type: 'TemplateProcessing', single, pair } });
    });
    const tokenizer = await Tokenizer.load(read());
    expectDigest(rows(tokenizer.encodeBatch(mixedTexts(20_000))), golden.small.mixed);
  });

  it('does without <unk>, <pad> and <mask>', async () => {
    const others = vocabulary.filter((token) => !['<unk>', '<pad>', '<mask>'].includes(token));
    const tokenizer = await load({ vocabulary: others });
    expect(tokenizer.specialTokens).toEqual({
      unknown: undefined,
      cls: 0,
      sep: 1,
      pad: undefined,
      mask: undefined,
    });
  });
});
