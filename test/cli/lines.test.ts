import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inGroups, readLines } from '../../src/cli/lines';
import { splitPair } from '../../src/cli/predict';
import { DataError } from '../../src/index';

/** The bytes in pieces of `size`, as a pipe may bring them. */
async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe('lines of stdin', () => {
  it('are the same however the bytes come', async () => {
    const alphabet = fc.constantFrom('a', 'é', '😀', '\n', '\r\n', '\t', '\ufeff');
    await fc.assert(
      fc.asyncProperty(fc.array(alphabet), fc.integer({ min: 1, max: 9 }), async (parts, size) => {
        const text = parts.join('');
        const expected = text.replace(/^\ufeff/, '').split(/\r?\n/);
        // What follows the last line's end is a line only if it holds something.
        if (expected.at(-1) === '' && (expected.length > 1 || text === '')) expected.pop();
        const lines = await collect(readLines(pieces(new TextEncoder().encode(text), size), 'stdin'));
        expect(lines.map((line) => line.text)).toEqual(expected);
        expect(lines.map((line) => line.number)).toEqual(expected.map((_, i) => i + 1));
      }),
    );
  });

  it('must be UTF-8', async () => {
    const bytes = new Uint8Array([0x61, 0x0a, 0xc3, 0x0a]);
    await expect(collect(readLines(pieces(bytes, 3), 'stdin'))).rejects.toThrow(/^stdin, line 2: .*UTF-8/);
  });

  it('are grouped', async () => {
    const letters = pieces(new TextEncoder().encode('abcde'), 1);
    expect((await collect(inGroups(letters, 2))).map((group) => group.length)).toEqual([2, 2, 1]);
  });
});

describe('a pair', () => {
  it('is split at the first tab', () => {
    expect(splitPair({ number: 1, text: 'a\tb\tc' }, 'stdin')).toEqual({ text: 'a', pair: 'b\tc' });
  });

  it('needs one', () => {
    expect(() => splitPair({ number: 4, text: 'a b' }, 'stdin')).toThrow(DataError);
    expect(() => splitPair({ number: 4, text: 'a b' }, 'stdin')).toThrow(/^stdin, line 4: holds one text/);
  });
});
