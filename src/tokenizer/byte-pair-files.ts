/** The two files of a byte-level BPE, as GPT-2's authors laid them out: vocab.json and merges.txt. */
import { FileFormatError } from '../errors';
import { decodeUtf8, parseJsonObject, show } from '../formats/json';
import { readVocabulary } from './json-fields';

/** The tokens in the order of their ids. @throws FileFormatError for what is not an object of token → id */
export function parseVocabJson(bytes: Uint8Array, fileName: string): string[] {
  return readVocabulary(parseJsonObject(bytes, fileName), fileName, '');
}

/**
 * A merge a line, two tokens with a blank between; a line that begins with `#version` is none, as for Hugging Face's `tokenizers`.
 * @throws FileFormatError naming the line
 */
export function parseMerges(bytes: Uint8Array, fileName: string): [string, string][] {
  const lines = decodeUtf8(bytes, fileName).split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines.flatMap((line, index): [string, string][] => {
    if (line.startsWith('#version')) return [];
    const [left, right, ...more] = line.split(' ');
    if (left === undefined || right === undefined || more.length > 0) {
      const place = `line ${index + 1}`;
      throw new FileFormatError(
        fileName,
        place,
        `two tokens with a blank between were expected, found ${show(line)}`,
      );
    }
    return [[left, right]];
  });
}
