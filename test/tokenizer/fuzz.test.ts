// Whatever the vocabulary and the text: no trap, ids within the vocabulary, sequences within the maximum.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileFormatError } from '../../src/errors';
import { Tokenizer } from '../../src/tokenizer/tokenizer';
import { randomTexts } from './synthetic';

const SPECIAL = ['[UNK]', '[CLS]', '[SEP]'];
const SEED = 20190615;

/** Code units of every kind: ASCII, lone surrogates, and what meets in normalisation. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 300 })
    .map((units) => String.fromCharCode(...units)),
  fc.constantFrom(...randomTexts(2000)),
  fc
    .array(fc.constantFrom('a', '\u{1d165}', '\u302e', '\u0301', ' ', '[SEP]', 'é'), { maxLength: 400 })
    .map((a) => a.join('')),
);

const token = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom('##', '###', '#', '', 'a', '##a'),
);
const vocabulary = fc
  .uniqueArray(token, { maxLength: 60 })
  .map((tokens) => [...new Set([...tokens.map((t) => t.replaceAll('\0', '')), ...SPECIAL])]);

describe('whatever the input', () => {
  it('ids stay within the vocabulary, sequences within the maximum', async () => {
    await fc.assert(
      fc.asyncProperty(
        vocabulary,
        fc.boolean(),
        fc.boolean(),
        fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 3, max: 64 }),
        async (tokens, lowercase, stripAccents, pairs, maxLength) => {
          const tokenizer = await Tokenizer.load({
            vocabulary: tokens,
            lowercase,
            stripAccents,
            fileName: 'fuzz',
          });
          const { sep, cls } = tokenizer.specialTokens;
          const firsts = pairs.map(([first]) => first);
          const seconds = pairs.map(([, second]) => second);
          for (const batch of [
            tokenizer.encodeBatch(firsts),
            tokenizer.encodeBatch(firsts, { maxLength }),
            tokenizer.encodeBatchPairs(firsts, seconds, { maxLength }),
          ]) {
            expect(batch.offsets.length).toBe(pairs.length + 1);
            expect(batch.ids.every((id) => id < tokenizer.vocabularySize)).toBe(true);
          }
          for (const [first, second] of pairs) {
            const whole = tokenizer.encode(first).ids;
            const cut = tokenizer.encode(first, undefined, { maxLength });
            expect(cut.ids.length).toBe(Math.min(whole.length, maxLength));
            expect(cut.truncated).toBe(whole.length > maxLength);
            expect([...cut.ids.subarray(0, -1)]).toEqual([...whole.subarray(0, cut.ids.length - 1)]);
            const both = tokenizer.encode(first, second, { maxLength });
            const length = whole.length + tokenizer.encode(second).ids.length - 1;
            expect(both.ids.length).toBe(Math.min(length, maxLength));
            expect(both.typeIds.length).toBe(both.ids.length);
            expect([both.ids.at(0), both.ids.at(-1)]).toEqual([cls, sep]);
          }
        },
      ),
      { seed: SEED, numRuns: 150 },
    );
  });

  it('a damaged vocab.txt loads or is refused with a FileFormatError', async () => {
    const sound = new TextEncoder().encode(
      [...SPECIAL, 'a', '##a', 'é', '##é', '中', 'film', '##s'].join('\n'),
    );
    let loaded = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(sound.length),
        fc.boolean(),
        text,
        async (changes, length, cutOff, input) => {
          const bytes = sound.slice(0, cutOff ? length : sound.length);
          for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
          const tokenizer = await Tokenizer.load({
            vocabulary: bytes,
            lowercase: true,
            fileName: 'fuzz',
          }).catch((error: unknown) => {
            expect(error).toBeInstanceOf(FileFormatError);
            return undefined;
          });
          if (tokenizer === undefined) return;
          loaded++;
          const { ids } = tokenizer.encode(input);
          expect(ids.every((id) => id < tokenizer.vocabularySize)).toBe(true);
        },
      ),
      { seed: SEED, numRuns: 400 },
    );
    expect(loaded).toBeGreaterThan(20);
  });

  it('reads, in time that follows the length, a word of a million marks that have to be sorted', async () => {
    const tokenizer = await Tokenizer.load({ vocabulary: SPECIAL, lowercase: true, fileName: 'fuzz' });
    const { ids } = tokenizer.encode('\u{1d16d}\u{1d165}'.repeat(500_000));
    expect([...ids]).toEqual([1, 0, 2]);
  });
});
