/** What a tokenizer.json, as Hugging Face's `tokenizers` writes it, says about a tokenizer. */
import { parseJsonObject } from '../formats/json';
import { parseBytePairJson } from './byte-pair-json';
import { expectValue, objectAt } from './json-fields';
import type { TokenizerOptions } from './options';
import { parseWordPieceJson } from './wordpiece-json';

/**
 * The options that make `Tokenizer.load` do what the file says. Its `truncation` and `padding` are left aside: the caller has a
 * maximum length of its own, and there is no padding here.
 * @throws FileFormatError for what is not a tokenizer.json
 * @throws UnsupportedModelError for one that is neither BERT's nor RoBERTa's: another model, normalizer or template
 */
export function parseTokenizerJson(bytes: Uint8Array, fileName: string): TokenizerOptions {
  const json = parseJsonObject(bytes, fileName);
  const model = objectAt(json, 'model', fileName);
  // Files written before 2020 do not name the model.
  const type = model.type ?? (model.merges === undefined ? 'WordPiece' : 'BPE');
  if (type === 'BPE') return parseBytePairJson(json, model, fileName);
  expectValue(type, 'WordPiece', 'model.type', fileName);
  return parseWordPieceJson(json, model, fileName);
}
