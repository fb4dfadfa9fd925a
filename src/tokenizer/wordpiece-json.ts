import { FileFormatError } from '../errors';
import { type JsonObject, show } from '../formats/json';
import {
  expectValue,
  flagAt,
  listAt,
  objectAt,
  readAddedTokens,
  readVocabulary,
  same,
  templateParts,
  unsupported,
} from './json-fields';
import type { WordPieceOptions } from './options';
import { BERT_TOKEN_NAMES, type SpecialTokenNames } from './vocabulary';

/** BERT's part of `parseTokenizerJson`. */
export function parseWordPieceJson(json: JsonObject, model: JsonObject, fileName: string): WordPieceOptions {
  expectValue(model.max_input_chars_per_word ?? 100, 100, 'model.max_input_chars_per_word', fileName);
  expectValue(model.continuing_subword_prefix ?? '##', '##', 'model.continuing_subword_prefix', fileName);
  const preTokenizer = objectAt(json, 'pre_tokenizer', fileName);
  expectValue(preTokenizer.type, 'BertPreTokenizer', 'pre_tokenizer.type', fileName);

  const normalizer = objectAt(json, 'normalizer', fileName);
  expectValue(normalizer.type, 'BertNormalizer', 'normalizer.type', fileName);
  expectValue(normalizer.clean_text ?? true, true, 'normalizer.clean_text', fileName);
  const flag = (key: string) => flagAt(normalizer, key, 'normalizer.', fileName);
  const lowercase = flag('lowercase') ?? true;

  const vocabulary = readVocabulary(objectAt(model, 'vocab', fileName), fileName, 'model.vocab, ');
  const specialTokens = readNames(json, model, fileName);
  return {
    vocabulary,
    lowercase,
    stripAccents: flag('strip_accents') ?? lowercase,
    handleChineseCharacters: flag('handle_chinese_chars') ?? true,
    addedTokens: readAddedTokens(json.added_tokens, fileName).map(({ content, id, entry, place }) => {
      for (const option of ['single_word', 'lstrip', 'rstrip', 'normalized']) {
        expectValue(entry[option] ?? false, false, `${place}, ${option}`, fileName);
      }
      return { content, id };
    }),
    specialTokens,
    fileName,
  };
}

/** cls and sep are named by the template around the texts only. */
function readNames(json: JsonObject, model: JsonObject, fileName: string): SpecialTokenNames {
  const unknown = model.unk_token ?? BERT_TOKEN_NAMES.unknown;
  if (typeof unknown !== 'string') {
    throw new FileFormatError(fileName, 'model.unk_token', `a token was expected, found ${show(unknown)}`);
  }
  const processor = objectAt(json, 'post_processor', fileName);
  if (processor.type === 'BertProcessing') {
    const [cls] = listAt(processor.cls);
    const [sep] = listAt(processor.sep);
    if (typeof cls === 'string' && typeof sep === 'string') return { ...BERT_TOKEN_NAMES, unknown, cls, sep };
  }
  if (processor.type === 'TemplateProcessing') {
    const single = templateParts(processor.single);
    const pair = templateParts(processor.pair);
    const [cls, , sep] = single;
    if (cls !== undefined && sep !== undefined) {
      const expected = [cls, 'A 0', sep];
      if (same(single, expected) && same(pair, [...expected, 'B 1', sep.replace(/0$/, '1')])) {
        return { ...BERT_TOKEN_NAMES, unknown, cls: cls.slice(0, -2), sep: sep.slice(0, -2) };
      }
    }
  }
  throw unsupported("post_processor: not BERT's [CLS] A [SEP] B [SEP]", fileName);
}
