/** What the parts of a tokenizer.json have in common: fields that are read, checked, or must have one value. */
import { FileFormatError, UnsupportedModelError } from '../errors';
import { isJsonObject, type JsonObject, type JsonValue, show } from '../formats/json';
import type { AddedToken } from './vocabulary';

/** Tokens in the order of their ids, from an object of token → id. */
export function readVocabulary(vocab: JsonObject, fileName: string, place: string): string[] {
  const entries = Object.entries(vocab);
  const tokens = new Array<string | undefined>(entries.length).fill(undefined);
  for (const [token, id] of entries) {
    const where = `${place}token ${show(token)}`;
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0) {
      throw new FileFormatError(fileName, where, `an id was expected, found ${show(id)}`);
    }
    if (id >= entries.length) {
      throw new FileFormatError(fileName, where, `id ${id} in a vocabulary of ${entries.length} tokens`);
    }
    if (tokens[id] !== undefined) {
      throw new FileFormatError(fileName, where, `id ${id} is also that of ${show(tokens[id])}`);
    }
    tokens[id] = token;
  }
  // As many ids as places, none twice, none outside: no place is left open.
  return tokens.filter((token) => token !== undefined);
}

/** An entry of `added_tokens`, with its place for messages. */
export interface AddedEntry extends AddedToken {
  readonly place: string;
  readonly entry: JsonObject;
}

export function readAddedTokens(value: JsonValue | undefined, fileName: string): AddedEntry[] {
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
    return { content: entry.content, id: entry.id, place: `${place} (${entry.content})`, entry };
  });
}

/** `NAME TYPE` of each part of a post-processor's template: of a special token, or a sequence (A, B). */
export function templateParts(template: JsonValue | undefined): string[] {
  return listAt(template).map((part) => {
    if (!isJsonObject(part)) return '';
    const piece = part.SpecialToken ?? part.Sequence;
    return isJsonObject(piece) ? `${piece.id} ${piece.type_id}` : '';
  });
}

export function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((part, i) => part === b[i]);
}

export function listAt(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

export function objectAt(json: JsonObject, key: string, fileName: string): JsonObject {
  const value = json[key];
  if (!isJsonObject(value)) {
    throw new FileFormatError(fileName, key, `an object was expected, found ${show(value)}`);
  }
  return value;
}

/** A flag; `undefined` where there is none, or `null`. */
export function flagAt(json: JsonObject, key: string, place: string, fileName: string): boolean | undefined {
  const value = json[key] ?? undefined;
  if (value !== undefined && typeof value !== 'boolean') {
    throw new FileFormatError(
      fileName,
      `${place}${key}`,
      `true, false or null was expected, found ${show(value)}`,
    );
  }
  return value;
}

export function expectValue(
  value: JsonValue | undefined,
  expected: JsonValue,
  place: string,
  fileName: string,
): void {
  if (value !== expected)
    throw unsupported(`${place}: ${show(value)} is not supported, only ${show(expected)}`, fileName);
}

export function unsupported(problem: string, fileName: string): UnsupportedModelError {
  return new UnsupportedModelError(
    `${fileName}, ${problem}`,
    "Graft runs BERT's WordPiece and RoBERTa's byte-level BPE, as transformers saves them",
  );
}
