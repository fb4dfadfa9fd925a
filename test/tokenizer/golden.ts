import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { EncodedBatch } from '../../src/tokenizer/options';

/** Of the ids of many texts, as test/golden/tokenizer.py describes it. */
export interface Digest {
  readonly texts: number;
  readonly tokens: number;
  readonly chunks: string;
}

interface Golden {
  readonly chunk: number;
  readonly codePointChunk: number;
  readonly pool: readonly string[];
  readonly real: Readonly<Record<string, Readonly<Record<string, Digest>>>>;
  readonly examples: Readonly<Record<string, readonly { text: string; ids: number[] }[]>>;
  readonly pairs: Digest;
  readonly singles: Digest;
  readonly lengths: Digest;
  readonly synthetic: readonly {
    readonly lowercase: boolean;
    readonly stripAccents: boolean;
    readonly handleChineseCharacters: boolean;
    readonly codePoints: Digest;
    readonly mixed: Digest;
  }[];
}

export const golden: Golden = JSON.parse(
  readFileSync(new URL('../golden/tokenizer.json', import.meta.url), 'utf8'),
);

/** The ids of each text. */
export function rows({ ids, offsets }: EncodedBatch): Uint32Array[] {
  return Array.from({ length: offsets.length - 1 }, (_, i) => ids.subarray(offsets[i], offsets[i + 1]));
}

/** Expects the same ids for all texts; a mismatch names the first chunk that differs. */
export function expectDigest(
  found: readonly ArrayLike<number>[],
  expected: Digest,
  chunk = golden.chunk,
): void {
  const chunks: string[] = [];
  for (let start = 0; start < found.length; start += chunk) {
    const hash = createHash('sha256');
    for (const ids of found.slice(start, start + chunk))
      hash.update(Uint32Array.of(ids.length, ...Array.from(ids)));
    chunks.push(hash.digest('hex').slice(0, 12));
  }
  const wanted = expected.chunks.split(' ');
  const wrong = wanted.flatMap((digest, i) => (digest === chunks[i] ? [] : [`texts from ${i * chunk} on`]));
  expect(wrong).toEqual([]);
  expect(found.length).toBe(expected.texts);
  expect(found.reduce((sum, ids) => sum + ids.length, 0)).toBe(expected.tokens);
}
