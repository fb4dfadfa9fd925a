import { FileFormatError } from '../errors';

/** What JSON.parse may return. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** UTF-8 bytes to text; throws FileFormatError where they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array, file: string, place?: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FileFormatError(file, place, 'not valid UTF-8', undefined, { cause });
  }
}

/** A file, or a part of one, that must be one JSON object; throws FileFormatError where it is not. */
export function parseJsonObject(bytes: Uint8Array, file: string, place?: string): JsonObject {
  const text = decodeUtf8(bytes, file, place);
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FileFormatError(file, place, `not valid JSON (${reason})`, undefined, { cause });
  }
  if (!isJsonObject(value)) {
    throw new FileFormatError(file, place, 'a JSON object was expected');
  }
  return value;
}

/** A short form of a value for messages, whatever the file holds. */
export function show(value: JsonValue | undefined): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
