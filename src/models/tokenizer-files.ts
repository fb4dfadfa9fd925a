/** Which vocabulary a checkpoint has, and how text is prepared for it. */
import { FileAccessError, FileFormatError, UnsupportedModelError } from '../errors';
import { isJsonObject, type JsonObject, parseJsonObject, show } from '../formats/json';
import { type FileSource, type OpenOptions, readFile } from '../platform/files';

export interface TokenizerFiles {
  /**
   * `vocab.txt` (WordPiece: a token a line, the line is the id), `vocab.json` (byte-level BPE: an object of token → id, with
   * `merges`) or `tokenizer.json` (either), as it is.
   */
  readonly format: 'vocab.txt' | 'vocab.json' | 'tokenizer.json';
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** For messages. */
  readonly file: string;
  /** `merges.txt`; with `vocab.json` only. */
  readonly merges: { readonly bytes: Uint8Array<ArrayBuffer>; readonly file: string } | undefined;
  /** Largest id + 1. */
  readonly tokens: number;
  /** Of WordPiece. */
  readonly lowercase: boolean;
  /** Of WordPiece. `undefined`: as `lowercase` says. */
  readonly stripAccents: boolean | undefined;
  /** Of WordPiece. */
  readonly handleChineseCharacters: boolean;
  /** Of byte-level BPE. `undefined`: as `tokenizer.json` says; without one there is no such space. */
  readonly addPrefixSpace: boolean | undefined;
}

/**
 * Throws FileAccessError where `source` has no vocabulary, FileFormatError for a damaged one, UnsupportedModelError for one of another
 * kind than WordPiece and BPE.
 */
export async function readTokenizerFiles(source: FileSource, options: OpenOptions): Promise<TokenizerFiles> {
  const vocabulary = await readFile(source, 'vocab.txt', options);
  const configFile = await readFile(source, 'tokenizer_config.json', options);
  const config = configFile === undefined ? {} : parseJsonObject(configFile.bytes, configFile.name);
  const bytePairs = vocabulary === undefined ? await readBytePairs(source, options) : undefined;
  // tokenizer.json is asked for only where the small files leave something open.
  const needsFull =
    bytePairs === undefined && (vocabulary === undefined || config.do_lower_case === undefined);
  const full = needsFull ? await readFile(source, 'tokenizer.json', options) : undefined;
  const fullJson = full === undefined ? undefined : parseJsonObject(full.bytes, full.name);
  const normalizer = findBertNormalizer(fullJson?.normalizer);
  const configName = configFile?.name ?? 'tokenizer_config.json';
  const flag = (configKey: string, normalizerKey: string) =>
    readFlag(config, configKey, configName) ??
    readFlag(normalizer, normalizerKey, full?.name ?? 'tokenizer.json');
  const preparation = {
    merges: bytePairs?.merges,
    // Without a word about it, transformers' BertTokenizer lower-cases.
    lowercase: flag('do_lower_case', 'lowercase') ?? true,
    stripAccents: flag('strip_accents', 'strip_accents'),
    handleChineseCharacters: flag('tokenize_chinese_chars', 'handle_chinese_chars') ?? true,
    addPrefixSpace: readFlag(config, 'add_prefix_space', configName),
  };
  if (vocabulary !== undefined) {
    const { bytes, name } = vocabulary;
    return { format: 'vocab.txt', bytes, file: name, tokens: countLines(bytes), ...preparation };
  }
  if (bytePairs !== undefined) {
    const { bytes, name } = bytePairs.vocabulary;
    const tokens = countTokens(parseJsonObject(bytes, name), [], name);
    return { format: 'vocab.json', bytes, file: name, tokens, ...preparation };
  }
  if (full === undefined || fullJson === undefined) {
    throw new FileAccessError(
      source.description,
      'it has neither vocab.txt, nor vocab.json and merges.txt, nor tokenizer.json',
      'Add the vocabulary that the checkpoint was trained with; SentencePiece models cannot be read',
    );
  }
  const tokens = countAllTokens(fullJson, full.name);
  return { format: 'tokenizer.json', bytes: full.bytes, file: full.name, tokens, ...preparation };
}

async function readBytePairs(source: FileSource, options: OpenOptions) {
  const vocabulary = await readFile(source, 'vocab.json', options);
  if (vocabulary === undefined) return undefined;
  const merges = await readFile(source, 'merges.txt', options);
  if (merges === undefined) {
    throw new FileAccessError(
      'merges.txt',
      `not in ${source.description}, which has vocab.json`,
      'The two make a byte-level BPE together: add the one that belongs to it',
    );
  }
  return { vocabulary, merges: { bytes: merges.bytes, file: merges.name } };
}

/** The BertNormalizer of a tokenizer.json, alone or in a sequence; an empty object where there is none. */
function findBertNormalizer(normalizer: JsonObject[string]): JsonObject {
  if (!isJsonObject(normalizer)) {
    return {};
  }
  const parts = Array.isArray(normalizer.normalizers) ? normalizer.normalizers : [normalizer];
  return parts.filter(isJsonObject).find((part) => part.type === 'BertNormalizer') ?? {};
}

function readFlag(json: JsonObject, key: string, file: string): boolean | undefined {
  const value = json[key] ?? undefined;
  if (value !== undefined && typeof value !== 'boolean') {
    throw new FileFormatError(file, key, `true, false or null was expected, found ${show(value)}`);
  }
  return value;
}

/** Lines as Python counts them: \n, \r\n or \r ends one; the last may lack its end. */
function countLines(bytes: Uint8Array): number {
  const lineFeed = 0x0a;
  const carriageReturn = 0x0d;
  let lines = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === lineFeed || (byte === carriageReturn && bytes[i + 1] !== lineFeed)) {
      lines++;
    }
  }
  const last = bytes.at(-1);
  return last === undefined || last === lineFeed || last === carriageReturn ? lines : lines + 1;
}

/** Largest id + 1 over the model's vocabulary and the added tokens of a tokenizer.json. */
function countAllTokens({ model, added_tokens: addedTokens }: JsonObject, file: string): number {
  const vocabulary = isJsonObject(model) ? model.vocab : undefined;
  if (isJsonObject(model) && Array.isArray(vocabulary)) {
    throw new UnsupportedModelError(
      `${file}: a tokenizer of type ${show(model.type)} is not supported`,
      "Graft runs BERT's WordPiece and RoBERTa's byte-level BPE",
    );
  }
  if (!isJsonObject(vocabulary)) {
    throw new FileFormatError(
      file,
      'model.vocab',
      `an object from token to id was expected, found ${show(vocabulary)}`,
    );
  }
  const added = Array.isArray(addedTokens) ? addedTokens.filter(isJsonObject) : [];
  return countTokens(vocabulary, added, file);
}

function countTokens(vocabulary: JsonObject, added: readonly JsonObject[], file: string): number {
  let tokens = 0;
  const take = (token: string, id: JsonObject[string]) => {
    if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0) {
      throw new FileFormatError(file, `token ${show(token)}`, `an id was expected, found ${show(id)}`);
    }
    tokens = Math.max(tokens, id + 1);
  };
  for (const [token, id] of Object.entries(vocabulary)) {
    take(token, id);
  }
  for (const entry of added) {
    take(show(entry.content), entry.id);
  }
  return tokens;
}
