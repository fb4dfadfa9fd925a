// Byte-level BPE: whatever the files and the text, no trap, typed errors, and no byte of the text lost.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraftError } from '../../src/errors';
import { parseMerges, parseVocabJson } from '../../src/tokenizer/byte-pair-files';
import type { TokenizerOptions } from '../../src/tokenizer/options';
import { Tokenizer } from '../../src/tokenizer/tokenizer';
import { parseTokenizerJson } from '../../src/tokenizer/tokenizer-json';
import { everyPair, mixedTexts, SPECIAL_TOKENS, smallFile, smallOptions } from './byte-pair-golden';

const SEED = 20190726;

/** Code units of every kind, lone surrogates and U+0000 included. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 300 })
    .map((units) => String.fromCharCode(...units)),
  fc.constantFrom(...mixedTexts(2000)),
  fc
    .array(fc.constantFrom('a', ' ', "'s", '\n', '\0', '1', 'é', '<mask>', 'the'), { maxLength: 400 })
    .map((a) => a.join('')),
);

/** As TextEncoder reads it: lone surrogates are U+FFFD. */
const wellFormed = (value: string) =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(value));

describe('whatever the text', () => {
  it.each([
    ['small', smallOptions(), false],
    ['small, with a space in front', smallOptions(), true],
    ['every pair', everyPair(), false],
  ])(
    'ids are in range, truncated ones a beginning, and nothing is lost: %s',
    async (_, options, addPrefixSpace) => {
      const tokenizer = await Tokenizer.load({ ...options, addPrefixSpace });
      const { cls, sep } = tokenizer.specialTokens;
      fc.assert(
        fc.property(
          fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 8 }),
          fc.integer({ min: 4, max: 64 }),
          (pairs, maxLength) => {
            const firsts = pairs.map(([first]) => first);
            const seconds = pairs.map(([, second]) => second);
            const batch = tokenizer.encodeBatch(firsts);
            const both = tokenizer.encodeBatchPairs(firsts, seconds, { maxLength });
            expect([...batch.ids, ...both.ids].every((id) => id < tokenizer.vocabularySize)).toBe(true);
            pairs.forEach(([first, second], i) => {
              const whole = tokenizer.encode(first).ids;
              expect(batch.ids.subarray(batch.offsets[i], batch.offsets[i + 1])).toEqual(whole);
              const cut = tokenizer.encode(first, undefined, { maxLength });
              expect(cut.ids.length).toBe(Math.min(whole.length, maxLength));
              expect(cut.truncated).toBe(whole.length > maxLength);
              expect(cut.ids.subarray(0, -1)).toEqual(whole.subarray(0, cut.ids.length - 1));
              const pair = both.ids.subarray(both.offsets[i], both.offsets[i + 1]);
              expect(pair.length).toBe(
                Math.min(whole.length + tokenizer.encode(second).ids.length, maxLength),
              );
              expect([pair[0], pair.at(-1)]).toEqual([cls, sep]);
              if (!SPECIAL_TOKENS.some((token) => first.includes(token))) {
                const prefix = addPrefixSpace && first !== '' && !first.startsWith(' ') ? ' ' : '';
                expect(tokenizer.decode(whole.subarray(1, -1))).toBe(prefix + wellFormed(first));
              }
            });
          },
        ),
        { seed: SEED, numRuns: 200 },
      );
    },
  );
});

describe('whatever the file', () => {
  const files = {
    'vocab.json': smallFile('vocab.json'),
    'merges.txt': smallFile('merges.txt'),
    'tokenizer.json': smallFile('tokenizer.json'),
  };
  type Name = keyof typeof files;

  function read(changed: Name, bytes: Uint8Array): TokenizerOptions {
    if (changed === 'tokenizer.json') return parseTokenizerJson(bytes, changed);
    const vocabulary = changed === 'vocab.json' ? bytes : files['vocab.json'];
    const merges = changed === 'merges.txt' ? bytes : files['merges.txt'];
    return {
      vocabulary: parseVocabJson(vocabulary, 'vocab.json'),
      merges: parseMerges(merges, 'merges.txt'),
      fileName: 'vocab.json',
      mergesFileName: 'merges.txt',
    };
  }

  it.each<Name>(['vocab.json', 'merges.txt', 'tokenizer.json'])(
    '%s, damaged, is refused with a typed error or makes a tokenizer',
    async (name) => {
      let loaded = 0;
      let refused = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.record({
              at: fc.nat(20_000),
              byte: fc.oneof(fc.nat(255), fc.constantFrom(0x20, 0x0a, 0x22, 0x30)),
            }),
            {
              minLength: 1,
              maxLength: 2,
            },
          ),
          fc.option(fc.nat(20_000), { freq: 6 }),
          text,
          async (changes, cut, input) => {
            let bytes = files[name].slice();
            for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
            if (cut !== null) bytes = bytes.slice(0, cut % bytes.length);
            try {
              const tokenizer = await Tokenizer.load(read(name, bytes));
              expect(tokenizer.encode(input).ids.every((id) => id < tokenizer.vocabularySize)).toBe(true);
              loaded++;
            } catch (error) {
              if (!(error instanceof GraftError)) throw error;
              refused++;
            }
          },
        ),
        { seed: SEED, numRuns: 400 },
      );
      expect(refused).toBeGreaterThan(100);
      expect(loaded).toBeGreaterThan(0);
    },
  );

  it('a tokenizer.json with any values is refused with a typed error or makes a tokenizer', async () => {
    const sound = JSON.parse(new TextDecoder().decode(files['tokenizer.json']));
    const places = [
      ['model'],
      ['model', 'vocab'],
      ['model', 'merges'],
      ['pre_tokenizer'],
      ['pre_tokenizer', 'add_prefix_space'],
      ['post_processor'],
      ['post_processor', 'cls'],
      ['added_tokens'],
      ['normalizer'],
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), fc.jsonValue(), async ([part = '', key], value) => {
        const changed = key === undefined ? value : { ...sound[part], [key]: value };
        const bytes = new TextEncoder().encode(JSON.stringify({ ...sound, [part]: changed }));
        try {
          await Tokenizer.load(parseTokenizerJson(bytes, 'tokenizer.json'));
        } catch (error) {
          if (!(error instanceof GraftError)) throw error;
        }
      }),
      { seed: SEED, numRuns: 600 },
    );
  });
});
