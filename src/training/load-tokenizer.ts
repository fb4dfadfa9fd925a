import { readTokenizerFiles, type TokenizerFiles } from '../models/tokenizer-files';
import { resolveBackboneSource } from '../platform/embedded';
import type { OpenOptions } from '../platform/files';
import type { SourceLike } from '../platform/resolve';
import { parseMerges, parseVocabJson } from '../tokenizer/byte-pair-files';
import type { TokenizerOptions } from '../tokenizer/options';
import { Tokenizer } from '../tokenizer/tokenizer';
import { parseTokenizerJson } from '../tokenizer/tokenizer-json';

/**
 * The tokenizer of a checkpoint, without its weights; of graft-mini by default. Throws FileAccessError, FileFormatError or
 * UnsupportedModelError.
 */
export async function loadTokenizer(source?: SourceLike, options: OpenOptions = {}): Promise<Tokenizer> {
  return makeTokenizer(await readTokenizerFiles(await resolveBackboneSource(source), options));
}

/** A tokenizer from what a checkpoint says about it. `tokenTypes`: as many as the model has, 0 or 1 if it tells none apart. */
export async function makeTokenizer(files: TokenizerFiles, tokenTypes = 2): Promise<Tokenizer> {
  const { lowercase, stripAccents, handleChineseCharacters, addPrefixSpace } = files;
  const options = readOptions(files);
  // What tokenizer_config.json says goes before tokenizer.json, as in transformers.
  return Tokenizer.load(
    'merges' in options
      ? { ...options, addPrefixSpace: addPrefixSpace ?? options.addPrefixSpace }
      : { ...options, lowercase, stripAccents, handleChineseCharacters, secondType: tokenTypes > 1 ? 1 : 0 },
  );
}

function readOptions({ format, bytes, file, merges, lowercase }: TokenizerFiles): TokenizerOptions {
  if (format === 'tokenizer.json') return parseTokenizerJson(bytes, file);
  if (merges === undefined) return { vocabulary: bytes, fileName: file, lowercase };
  return {
    vocabulary: parseVocabJson(bytes, file),
    merges: parseMerges(merges.bytes, merges.file),
    fileName: file,
    mergesFileName: merges.file,
  };
}
