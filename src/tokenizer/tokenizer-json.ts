/** What a tokenizer.json, as Hugging Face's `tokenizers` writes it, says about a WordPiece tokenizer. */
import { FileFormatError, UnsupportedModelError } from '../errors';
import { isJsonObject, type JsonObject, type JsonValue, parseJsonObject, show } from '../formats/json';
import type { TokenizerOptions } from './options';
import { type AddedToken, BERT_TOKEN_NAMES, type SpecialTokenNames } from './vocabulary';

/**
 * The options that make `Tokenizer.load` do what the file says. Its `truncation` and `padding` are left aside: the caller has a
 * maximum length of its own, and there is no padding here.
 * @throws FileFormatError for what is not a tokenizer.json
 * @throws UnsupportedModelError for one that is not BERT's: another model, normalizer or template
 */
export function parseTokenizerJson(bytes: Uint8Array, fileName: string): TokenizerOptions {
  const json = parseJsonObject(bytes, fileName);
  const model = objectAt(json, 'model', fileName);
  // Files written before 2020 do not name the model.
  expectType(model, 'model', 'WordPiece', fileName, model.type === undefined);
  expectValue(model.max_input_chars_per_word ?? 100, 100, 'model.max_input_chars_per_word', fileName);
  expectValue(model.continuing_subword_prefix ?? '##', '##', 'model.continuing_subword_prefix', fileName);
  expectType(objectAt(json, 'pre_tokenizer', fileName), 'pre_tokenizer', 'BertPreTokenizer', fileName);

  const normalizer = objectAt(json, 'normalizer', fileName);
  expectType(normalizer, 'normalizer', 'BertNormalizer', fileName);
  expectValue(normalizer.clean_text ?? true, true, 'normalizer.clean_text', fileName);
  const lowercase = flagAt(normalizer, 'lowercase', fileName) ?? true;

  const vocabulary = readVocabulary(objectAt(model, 'vocab', fileName), fileName);
  const names = readNames(json, model, fileName);
  return {
    vocabulary,
    lowercase,
    stripAccents: flagAt(normalizer, 'strip_accents', fileName) ?? lowercase,
    handleChineseCharacters: flagAt(normalizer, 'handle_chinese_chars', fileName) ?? true,
    addedTokens: readAddedTokens(json.added_tokens, fileName),
    specialTokens: names,
    fileName,
  };
}

function readVocabulary(vocab: JsonObject, fileName: string): string[] {
  const entries = Object.entries(vocab);
  const tokens = new Array<string | undefined>(entries.length).fill(undefined);
  for (const [token, id] of entries) {
    const place = `model.vocab, token ${show(token)}`;
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0) {
      throw new FileFormatError(fileName, place, `an id was expected, found ${show(id)}`);
    }
    if (id >= entries.length) {
      throw new FileFormatError(fileName, place, `id ${id} in a vocabulary of ${entries.length} tokens`);
    }
    if (tokens[id] !== undefined) {
      throw new FileFormatError(fileName, place, `id ${id} is also that of ${show(tokens[id])}`);
    }
    tokens[id] = token;
  }
  // As many ids as places, none twice, none outside: no place is left open.
  return tokens.filter((token) => token !== undefined);
}

function readAddedTokens(value: JsonValue | undefined, fileName: string): AddedToken[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    throw new FileFormatError(fileName, 'added_tokens', `a list was expected, found ${show(value)}`);
  }
  const list: readonly JsonValue[] = value;
  return list.map((entry, index) => {
    const place = `added_tokens, entry ${index}`;
    if (!isJsonObject(entry) || typeof entry.content !== 'string' || typeof entry.id !== 'number') {
      throw new FileFormatError(fileName, place, 'an object with content and id was expected');
    }
    for (const option of ['single_word', 'lstrip', 'rstrip', 'normalized']) {
      expectValue(entry[option] ?? false, false, `${place} (${entry.content}), ${option}`, fileName);
    }
    return { content: entry.content, id: entry.id };
  });
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
    const single = listAt(processor.single).map(templatePart);
    const pair = listAt(processor.pair).map(templatePart);
    const [cls, , sep] = single;
    if (cls !== undefined && sep !== undefined) {
      const expected = [cls, 'A 0', sep];
      if (same(single, expected) && same(pair, [...expected, 'B 1', sep.replace(/0$/, '1')])) {
        return { ...BERT_TOKEN_NAMES, unknown, cls: cls.slice(0, -2), sep: sep.slice(0, -2) };
      }
    }
  }
  throw new UnsupportedModelError(
    `${fileName}, post_processor: not BERT's [CLS] A [SEP] B [SEP]`,
    "Use a checkpoint of BERT's family, or a vocab.txt without tokenizer.json",
  );
}

/** `NAME TYPE`, of a special token or a sequence (A, B). */
function templatePart(part: JsonValue): string {
  if (!isJsonObject(part)) return '';
  const piece = part.SpecialToken ?? part.Sequence;
  return isJsonObject(piece) ? `${piece.id} ${piece.type_id}` : '';
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((part, i) => part === b[i]);
}

function listAt(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function objectAt(json: JsonObject, key: string, fileName: string): JsonObject {
  const value = json[key];
  if (!isJsonObject(value)) {
    throw new FileFormatError(fileName, key, `an object was expected, found ${show(value)}`);
  }
  return value;
}

function flagAt(json: JsonObject, key: string, fileName: string): boolean | undefined {
  const value = json[key] ?? undefined;
  if (value !== undefined && typeof value !== 'boolean') {
    throw new FileFormatError(
      fileName,
      `normalizer.${key}`,
      `true, false or null was expected, found ${show(value)}`,
    );
  }
  return value;
}

function expectType(json: JsonObject, place: string, type: string, fileName: string, unnamed = false): void {
  if (!unnamed) expectValue(json.type, type, `${place}.type`, fileName);
}

function expectValue(
  value: JsonValue | undefined,
  expected: JsonValue,
  place: string,
  fileName: string,
): void {
  if (value !== expected) {
    throw new UnsupportedModelError(
      `${fileName}, ${place}: ${show(value)} is not supported, only ${show(expected)}`,
      "Use a checkpoint of BERT's family with its WordPiece tokenizer",
    );
  }
}
