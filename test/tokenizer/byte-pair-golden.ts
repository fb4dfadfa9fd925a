import { readFileSync } from 'node:fs';
import { BYTE_CHARACTERS } from '../../src/tokenizer/byte-alphabet';
import { parseMerges, parseVocabJson } from '../../src/tokenizer/byte-pair-files';
import type { BytePairOptions } from '../../src/tokenizer/options';
import type { Digest } from './golden';
import { randomTexts } from './synthetic';

interface Example {
  readonly text: string;
  readonly ids: number[];
  readonly decoded: string;
}

interface BytePairGolden {
  readonly pool: readonly string[];
  readonly small: {
    readonly examples: readonly Example[];
    readonly mixed: Digest;
    readonly mixedPrefixSpace: Digest;
    readonly ownTexts: Digest;
  };
  readonly decoded: readonly { ids: number[]; text: string }[];
  readonly addedTokens: Digest;
  readonly everyPair: { readonly codePoints: Digest; readonly mixed: Digest };
  readonly randomMerges: readonly {
    /** Beside the special ones and the other bytes. */
    readonly tokens: string[];
    readonly merges: string[];
    readonly texts: string[];
    /** Without special tokens. */
    readonly ids: string[];
  }[];
  readonly lengths: Digest;
  readonly roberta: Readonly<Record<string, Digest>>;
  readonly robertaExamples: readonly Example[];
  readonly robertaMixed: Digest;
  readonly robertaPairs: Digest;
  readonly robertaSingles: Digest;
}

/** What test/golden/byte_pair.py wrote. */
export const bytePairGolden: BytePairGolden = JSON.parse(
  readFileSync(new URL('../golden/byte_pair.json', import.meta.url), 'utf8'),
);

export const SPECIAL_TOKENS = ['<s>', '<pad>', '</s>', '<unk>', '<mask>'];

/** A file of the small tokenizer. */
export function smallFile(name: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(readFileSync(new URL(`../golden/byte_pair/${name}`, import.meta.url)));
}

export function smallOptions(): BytePairOptions {
  return {
    vocabulary: parseVocabJson(smallFile('vocab.json'), 'vocab.json'),
    merges: parseMerges(smallFile('merges.txt'), 'merges.txt'),
    fileName: 'vocab.json',
    mergesFileName: 'merges.txt',
  };
}

/** `every_pair` of byte_pair.py: where a word ends shows in its tokens. */
export function everyPair(): BytePairOptions {
  const merges = BYTE_CHARACTERS.flatMap((a) => BYTE_CHARACTERS.map((b): [string, string] => [a, b]));
  return {
    vocabulary: [...SPECIAL_TOKENS, ...BYTE_CHARACTERS, ...merges.map(([a, b]) => a + b)],
    merges,
    fileName: 'every pair',
  };
}

/** Texts of what meets in the pattern. */
export function mixedTexts(count: number): string[] {
  return randomTexts(count, bytePairGolden.pool);
}
