import { BYTE_CHARACTERS } from '../src/tokenizer/byte-alphabet';
import type { BytePairOptions } from '../src/tokenizer/options';

const SPECIAL = ['<s>', '<pad>', '</s>', '<unk>', '<mask>'];

/**
 * A byte-level BPE that covers some texts: every byte, half of the words with the blank before them as one token, of the others
 * the first half; each made from left to right.
 */
export function syntheticBytePairs(texts: readonly string[]): BytePairOptions {
  const words = [...new Set(texts.flatMap((text) => text.match(/ ?\p{L}+| ?\p{N}+/gu) ?? []))];
  const encoder = new TextEncoder();
  const merges = new Map<string, readonly [string, string]>();
  words.forEach((word, index) => {
    const characters = Array.from(encoder.encode(word), (byte) => BYTE_CHARACTERS[byte] ?? '');
    const length = index % 2 === 0 ? characters.length : Math.ceil(characters.length / 2);
    let left = characters[0] ?? '';
    for (const right of characters.slice(1, length)) {
      merges.set(`${left} ${right}`, [left, right]);
      left += right;
    }
  });
  const tokens = new Set([...SPECIAL, ...BYTE_CHARACTERS]);
  for (const pair of merges.values()) tokens.add(pair.join(''));
  return { vocabulary: [...tokens], merges: [...merges.values()], fileName: 'vocabulary' };
}
