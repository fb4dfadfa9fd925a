import { FileFormatError } from '../errors';
import { isJsonObject, type JsonObject, type JsonValue, show } from '../formats/json';
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
import type { BytePairOptions } from './options';
import { ROBERTA_TOKEN_NAMES, type SpecialTokenNames } from './vocabulary';

/** RoBERTa's part of `parseTokenizerJson`. */
export function parseBytePairJson(json: JsonObject, model: JsonObject, fileName: string): BytePairOptions {
  expectValue(model.dropout ?? null, null, 'model.dropout', fileName);
  expectValue(model.continuing_subword_prefix ?? '', '', 'model.continuing_subword_prefix', fileName);
  expectValue(model.end_of_word_suffix ?? '', '', 'model.end_of_word_suffix', fileName);
  expectValue(model.ignore_merges ?? false, false, 'model.ignore_merges', fileName);
  expectValue(json.normalizer ?? null, null, 'normalizer', fileName);
  const preTokenizer = objectAt(json, 'pre_tokenizer', fileName);
  expectValue(preTokenizer.type, 'ByteLevel', 'pre_tokenizer.type', fileName);
  expectValue(preTokenizer.use_regex ?? true, true, 'pre_tokenizer.use_regex', fileName);
  return {
    vocabulary: readVocabulary(objectAt(model, 'vocab', fileName), fileName, 'model.vocab, '),
    merges: readMerges(model.merges, fileName),
    addPrefixSpace: flagAt(preTokenizer, 'add_prefix_space', 'pre_tokenizer.', fileName) ?? true,
    addedTokens: readAddedTokens(json.added_tokens, fileName).map(({ content, id, entry, place }) => {
      const flag = (key: string) => flagAt(entry, key, `${place}, `, fileName) ?? false;
      expectValue(flag('single_word'), false, `${place}, single_word`, fileName);
      const [leftBlanks, rightBlanks, last] = [flag('lstrip'), flag('rstrip'), flag('normalized')];
      return { content, id, leftBlanks, rightBlanks, last };
    }),
    specialTokens: readNames(json, fileName),
    fileName,
  };
}

/** Each is `"left right"`, since tokenizers 0.20 `["left", "right"]`. */
function readMerges(value: JsonValue | undefined, fileName: string): [string, string][] {
  if (!Array.isArray(value)) {
    throw new FileFormatError(fileName, 'model.merges', `a list was expected, found ${show(value)}`);
  }
  const list: readonly JsonValue[] = value;
  return list.map((merge, rank) => {
    const [left, right, ...more] = typeof merge === 'string' ? merge.split(' ') : listAt(merge);
    if (typeof left !== 'string' || typeof right !== 'string' || more.length > 0) {
      const place = `model.merges, merge ${rank + 1}`;
      throw new FileFormatError(fileName, place, `two tokens were expected, found ${show(merge)}`);
    }
    return [left, right];
  });
}

/** cls and sep are named by what is put around the texts only. */
function readNames(json: JsonObject, fileName: string): SpecialTokenNames {
  const processor = isJsonObject(json.post_processor) ? json.post_processor : {};
  if (processor.type === 'RobertaProcessing') {
    const [cls] = listAt(processor.cls);
    const [sep] = listAt(processor.sep);
    if (typeof cls === 'string' && typeof sep === 'string') return { ...ROBERTA_TOKEN_NAMES, cls, sep };
  }
  if (processor.type === 'TemplateProcessing') {
    const single = templateParts(processor.single);
    const pair = templateParts(processor.pair);
    const [cls, , sep] = single;
    if (cls?.endsWith(' 0') && sep?.endsWith(' 0')) {
      const expected = [cls, 'A 0', sep];
      if (same(single, expected) && same(pair, [...expected, sep, 'B 0', sep])) {
        return { ...ROBERTA_TOKEN_NAMES, cls: cls.slice(0, -2), sep: sep.slice(0, -2) };
      }
    }
  }
  throw unsupported("post_processor: not RoBERTa's <s> A </s></s> B </s>", fileName);
}
