import { describe, expect, it } from 'vitest';
import { FileFormatError, GraftError, OptionError, UnsupportedModelError } from '../../src/errors';
import { Tokenizer } from '../../src/tokenizer/tokenizer';
import { parseTokenizerJson } from '../../src/tokenizer/tokenizer-json';

const TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'film', '##s', '##ing', 'charm', '.'];
const utf8 = (text: string) => new TextEncoder().encode(text);
const load = (vocabulary: Uint8Array | readonly string[] = TOKENS) =>
  Tokenizer.load({ vocabulary, lowercase: true, fileName: 'vocab.txt' });

describe('Tokenizer', () => {
  it('encodes a text, with the ids that the vocabulary gives', async () => {
    const tokenizer = await load();
    const { ids, typeIds, truncated } = tokenizer.encode('A charming film.');
    expect([...ids]).toEqual([2, 5, 9, 8, 6, 10, 3]);
    expect([...typeIds]).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(truncated).toBe(false);
    expect(tokenizer.vocabularySize).toBe(11);
    expect(tokenizer.specialTokens).toEqual({ unknown: 1, cls: 2, sep: 3, pad: 0, mask: 4 });
    expect(tokenizer.token(9)).toBe('charm');
    expect(tokenizer.token(11)).toBeUndefined();
  });

  it('encodes pairs, the second text as type 1', async () => {
    const { ids, typeIds } = (await load()).encode('a', 'films');
    expect([...ids]).toEqual([2, 5, 3, 6, 7, 3]);
    expect([...typeIds]).toEqual([0, 0, 0, 1, 1, 1]);
  });

  it('reads a vocab.txt with any line ends, with or without the last', async () => {
    for (const text of [
      TOKENS.join('\n'),
      `${TOKENS.join('\n')}\n`,
      `${TOKENS.join('\r\n')}\r\n`,
      TOKENS.join('\r'),
    ]) {
      const tokenizer = await load(utf8(text));
      expect(tokenizer.vocabularySize).toBe(11);
      expect([...tokenizer.encode('films').ids]).toEqual([2, 6, 7, 3]);
    }
  });

  it('truncates, counts and reports', async () => {
    const tokenizer = await load();
    expect(tokenizer.encode('a a a', undefined, { maxLength: 4 })).toEqual({
      ids: Uint32Array.of(2, 5, 5, 3),
      typeIds: new Uint8Array(4),
      truncated: true,
    });
    expect(tokenizer.encode('a a', undefined, { maxLength: 4 }).truncated).toBe(false);
    expect([...tokenizer.encode('a a', undefined, { maxLength: 2 }).ids]).toEqual([2, 3]);
    // A word that is in several parts ends where the room does; one whose last part is unknown is [UNK] all the same.
    expect([...tokenizer.encode('a filmsing', undefined, { maxLength: 5 }).ids]).toEqual([2, 5, 6, 7, 3]);
    expect([...tokenizer.encode('a filmsx', undefined, { maxLength: 4 }).ids]).toEqual([2, 5, 1, 3]);
    const batch = tokenizer.encodeBatch(['a', 'a a a', 'a a', 'film '.repeat(999)], { maxLength: 4 });
    expect(batch.truncated).toBe(2);
    expect([...batch.offsets]).toEqual([0, 3, 7, 11, 15]);
  });

  it('encodes a batch as it encodes its texts one by one, in as many parts as it takes', async () => {
    const tokenizer = await load();
    const texts = Array.from(
      { length: 5000 },
      (_, i) => `${'films '.repeat(i % 50)}é[MASK]${i % 7 === 0 ? '\0' : ''}a`,
    );
    const batch = tokenizer.encodeBatch(texts);
    texts.forEach((text, i) => {
      const ids = batch.ids.subarray(batch.offsets[i], batch.offsets[i + 1]);
      expect(ids).toEqual(tokenizer.encode(text).ids);
    });
    const pairs = tokenizer.encodeBatchPairs(texts, [...texts].reverse(), { maxLength: 40 });
    const last = texts.length - 1;
    for (const i of [0, 1, 1234, last]) {
      const one = tokenizer.encode(texts[i] ?? '', texts[last - i], { maxLength: 40 });
      expect(pairs.ids.subarray(pairs.offsets[i], pairs.offsets[i + 1])).toEqual(one.ids);
      expect(pairs.typeIds.subarray(pairs.offsets[i], pairs.offsets[i + 1])).toEqual(one.typeIds);
    }
    expect(tokenizer.encodeBatch([])).toEqual({
      ids: new Uint32Array(0),
      typeIds: new Uint8Array(0),
      offsets: Uint32Array.of(0),
      truncated: 0,
    });
  });

  it('takes a lone surrogate for U+FFFD, which is dropped, and U+0000 for a control character', async () => {
    const tokenizer = await load();
    const expected = tokenizer.encode('films').ids;
    for (const text of [
      'fi\ud800lms',
      'film\udc00s',
      '\u{dfff}films',
      'films\ud83d',
      'fi\0lms',
      '\0films\0',
    ]) {
      expect(tokenizer.encode(text).ids).toEqual(expected);
    }
    // The end of one text and the start of the next are not one character.
    const batch = tokenizer.encodeBatch(['films\ud83d', '\udc4dfilms']);
    expect([...batch.ids]).toEqual([...expected, ...expected]);
  });

  it('decodes', async () => {
    const tokenizer = await load();
    expect(tokenizer.decode(tokenizer.encode('A charming film.').ids)).toBe('[CLS] a charming film . [SEP]');
    expect(tokenizer.decode([])).toBe('');
    expect(() => tokenizer.decode([11])).toThrow(OptionError);
  });

  it('matches added tokens in the raw text, and no others', async () => {
    const tokenizer = await Tokenizer.load({
      vocabulary: TOKENS,
      lowercase: true,
      addedTokens: [
        { content: '<e1>', id: 11 },
        { content: '<e1></e1>', id: 12 },
        { content: 'Éx', id: 13 },
      ],
      fileName: 'tokenizer.json',
    });
    expect(tokenizer.vocabularySize).toBe(14);
    const ids = (text: string) => [...tokenizer.encode(text).ids].slice(1, -1);
    expect(ids('a<e1>film<e1></e1>s')).toEqual([5, 11, 6, 12, 1]);
    expect(ids('aÉxa éx <E1>')).toEqual([5, 13, 5, 1, 1, 1, 1]);
    // [MASK] is not among them here: a bracket, a word, a bracket.
    expect(ids('[MASK]')).toEqual([1, 1, 1]);
  });

  it('is of no use after dispose', async () => {
    const tokenizer = await load();
    tokenizer.dispose();
    expect(() => tokenizer.encode('a')).toThrow(GraftError);
  });
});

describe('bad input', () => {
  const refused = async (vocabulary: Uint8Array | readonly string[], ...parts: string[]) => {
    const error = await load(vocabulary).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(FileFormatError);
    for (const part of ['vocab.txt', ...parts]) expect(String(error)).toContain(part);
  };

  it('an empty vocabulary', async () => {
    await refused(new Uint8Array(0), 'no tokens');
    await refused([], 'no tokens');
  });

  it('invalid UTF-8, naming the line', async () => {
    const bytes = utf8(TOKENS.join('\n'));
    bytes[bytes.indexOf(0x66)] = 0xff; // the f of film
    await refused(bytes, 'line 7', 'UTF-8');
  });

  it('a token twice, naming both places', () => refused([...TOKENS, 'film'], 'line 12', '"film"', 'line 7'));

  it('a token with U+0000', () => refused([...TOKENS, 'fi\0lm'], 'line 12', 'U+0000'));

  it.each(['[UNK]', '[CLS]', '[SEP]'])('no %s', (name) =>
    refused(
      TOKENS.filter((token) => token !== name),
      name,
      'missing',
    ),
  );

  it('does without [PAD] and [MASK]', async () => {
    const { specialTokens } = await load(TOKENS.filter((token) => !/PAD|MASK/.test(token)));
    expect(specialTokens).toEqual({ unknown: 0, cls: 1, sep: 2, pad: undefined, mask: undefined });
  });

  it('an added token whose id is not its own', async () => {
    for (const id of [3, 12, -1, 1.5]) {
      const options = { vocabulary: TOKENS, lowercase: true, fileName: 'tokenizer.json' };
      const loading = Tokenizer.load({ ...options, addedTokens: [{ content: '<e1>', id }] });
      await expect(loading).rejects.toThrow(FileFormatError);
    }
  });

  it('a maximum length without room for the special tokens', async () => {
    const tokenizer = await load();
    for (const maxLength of [1, 0, -5, 2.5, Number.NaN]) {
      expect(() => tokenizer.encode('a', undefined, { maxLength })).toThrow(OptionError);
    }
    expect(() => tokenizer.encode('a', 'a', { maxLength: 2 })).toThrow(OptionError);
    expect(() => tokenizer.encodeBatchPairs(['a'], [])).toThrow(OptionError);
  });
});

describe('tokenizer.json', () => {
  const part = (kind: 'SpecialToken' | 'Sequence', id: string, type: number) => ({
    [kind]: { id, type_id: type },
  });
  const file = (changes: object = {}) =>
    utf8(
      JSON.stringify({
        added_tokens: [
          {
            id: 4,
            content: '[MASK]',
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: false,
            special: true,
          },
          {
            id: 11,
            content: '<e1>',
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: false,
            special: true,
          },
        ],
        normalizer: {
          type: 'BertNormalizer',
          clean_text: true,
          handle_chinese_chars: true,
          strip_accents: null,
          lowercase: true,
        },
        pre_tokenizer: { type: 'BertPreTokenizer' },
        post_processor: {
          type: 'TemplateProcessing',
          single: [
            part('SpecialToken', '[CLS]', 0),
            part('Sequence', 'A', 0),
            part('SpecialToken', '[SEP]', 0),
          ],
          pair: [
            part('SpecialToken', '[CLS]', 0),
            part('Sequence', 'A', 0),
            part('SpecialToken', '[SEP]', 0),
            part('Sequence', 'B', 1),
            part('SpecialToken', '[SEP]', 1),
          ],
        },
        model: {
          type: 'WordPiece',
          unk_token: '[UNK]',
          continuing_subword_prefix: '##',
          max_input_chars_per_word: 100,
          vocab: Object.fromEntries(TOKENS.map((token, id) => [token, id])),
        },
        ...changes,
      }),
    );

  it('is read into the options of the same tokenizer', async () => {
    const options = parseTokenizerJson(file(), 'tokenizer.json');
    expect(options.vocabulary).toEqual(TOKENS);
    expect(options).toMatchObject({ lowercase: true, stripAccents: true, handleChineseCharacters: true });
    const tokenizer = await Tokenizer.load(options);
    expect([...tokenizer.encode('Films<e1>[MASK][SEP]').ids]).toEqual([2, 6, 7, 11, 4, 1, 1, 1, 3]);
  });

  it('with the older BertProcessing', () => {
    const post_processor = { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] };
    expect(parseTokenizerJson(file({ post_processor }), 'tokenizer.json').specialTokens?.sep).toBe('[SEP]');
  });

  const model = { type: 'WordPiece', unk_token: '[UNK]' };
  it.each([
    ['no object', utf8('[]'), 'object'],
    ['no JSON', utf8('{'), 'JSON'],
    ['no model', file({ model: null }), 'model'],
    ['no vocabulary', file({ model }), 'vocab'],
    ['an id that is not a number', file({ model: { ...model, vocab: { a: '0' } } }), 'token "a"'],
    ['an id twice', file({ model: { ...model, vocab: { a: 0, b: 0 } } }), '"b"'],
    ['a gap between ids', file({ model: { ...model, vocab: { a: 0, b: 2 } } }), '"b"'],
    ['a flag that is none', file({ normalizer: { type: 'BertNormalizer', lowercase: 'yes' } }), 'lowercase'],
    ['added tokens that are none', file({ added_tokens: [1] }), 'entry 0'],
  ])('refuses %s', (_, bytes, place) => {
    const read = () => parseTokenizerJson(bytes, 'tokenizer.json');
    expect(read).toThrow(FileFormatError);
    expect(read).toThrow(place);
  });

  it.each([
    ['another model', file({ model: { type: 'Unigram', vocab: [] } }), 'Unigram'],
    ['another normalizer', file({ normalizer: { type: 'NFC' } }), 'NFC'],
    ['another pre-tokenizer', file({ pre_tokenizer: { type: 'ByteLevel' } }), 'ByteLevel'],
    [
      'another template',
      file({ post_processor: { type: 'TemplateProcessing', single: [], pair: [] } }),
      'post_processor',
    ],
    [
      'tokens matched otherwise',
      file({ added_tokens: [{ id: 4, content: '[MASK]', lstrip: true }] }),
      '[MASK]',
    ],
  ])('does not support %s', (_, bytes, place) => {
    const read = () => parseTokenizerJson(bytes, 'tokenizer.json');
    expect(read).toThrow(UnsupportedModelError);
    expect(read).toThrow(place);
  });
});
