import { readTokenizerFiles, type TokenizerFiles } from '../models/tokenizer-files';
import { resolveBackboneSource } from '../platform/embedded';
import type { OpenOptions } from '../platform/files';
import type { SourceLike } from '../platform/resolve';
import { Tokenizer } from '../tokenizer/tokenizer';
import { parseTokenizerJson } from '../tokenizer/tokenizer-json';

/** The tokenizer of a checkpoint, without its weights; of graft-mini by default. Throws FileAccessError or FileFormatError. */
export async function loadTokenizer(source?: SourceLike, options: OpenOptions = {}): Promise<Tokenizer> {
  return makeTokenizer(await readTokenizerFiles(await resolveBackboneSource(source), options));
}

/** A tokenizer from what a checkpoint says about it. */
export function makeTokenizer(files: TokenizerFiles): Promise<Tokenizer> {
  const { format, bytes, file, lowercase, stripAccents, handleChineseCharacters } = files;
  const vocabulary =
    format === 'tokenizer.json' ? parseTokenizerJson(bytes, file) : { vocabulary: bytes, fileName: file };
  // What tokenizer_config.json says goes before tokenizer.json, as in transformers.
  return Tokenizer.load({ ...vocabulary, lowercase, stripAccents, handleChineseCharacters });
}
