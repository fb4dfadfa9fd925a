import { BYTE_CHARACTERS } from './byte-alphabet';
import { type Characters, charactersOf } from './characters';
import type { TracedText } from './trace';
import type { AddedToken } from './vocabulary';

const BLANK = 0x20;
const BLANK_CHARACTER = BYTE_CHARACTERS[BLANK] ?? '';

export interface BytePairTraceOptions {
  /** By id. */
  readonly tokens: readonly string[];
  readonly added: readonly AddedToken[];
  readonly addPrefixSpace: boolean;
}

/**
 * Where the tokens of a text come from, without its special ones: a byte-level BPE loses nothing, so the tokens' bytes laid end to
 * end are the text, but for blanks that `addPrefixSpace` puts in front and those that added tokens take along.
 *
 * A token's span is that of the code points which have a byte in it, without the blanks at its ends: `trim_offsets` of Hugging Face's
 * `tokenizers` (ByteLevel's `process_offsets`), which trims as much for a blank that was put in front, except at the text's start.
 */
export function traceBytePair(
  text: string,
  ids: Uint32Array<ArrayBuffer>,
  { tokens, added, addPrefixSpace }: BytePairTraceOptions,
): TracedText {
  const utf8 = new TextEncoder();
  const bytes = utf8.encode(text);
  const characters = charactersOf(text);
  const addedById = new Map(added.map((token) => [token.id, token]));
  const starts = new Uint32Array(ids.length);
  const ends = new Uint32Array(ids.length);
  let at = 0;
  ids.forEach((id, i) => {
    let token = tokens[id] ?? '';
    const addedToken = addedById.get(id);
    const from = at;
    if (addedToken === undefined) {
      const isPrefixed = token.startsWith(BLANK_CHARACTER) && bytes[at] !== BLANK;
      at += token.length - (isPrefixed ? 1 : 0);
    } else {
      const content = utf8.encode(addedToken.content);
      at = indexOf(bytes, content, from) + content.length;
      if (addedToken.rightBlanks === true) at += utf8.encode(blanksFrom(text, unitOf(characters, at))).length;
      // With the blanks that it takes along.
      token = text.slice(unitOf(characters, from), unitOf(characters, at));
    }
    const start = characters.ofByte[from] ?? 0;
    const end = Math.max(start, characters.ofByte[at - 1] ?? 0) + 1;
    const isFirst = addPrefixSpace && (i === 0 || start === 0);
    const blanks = blanksAtStart(token);
    // Several were not put there.
    const leading = isFirst && blanks === 1 ? 0 : blanks;
    const trimmed = Math.min(start + leading, end);
    const trailing = blanksAtEnd(token);
    starts[i] = characters.units[trimmed] ?? text.length;
    ends[i] = characters.units[end >= trailing ? Math.max(end - trailing, trimmed) : end] ?? text.length;
  });
  return { ids, starts, ends };
}

function unitOf({ ofByte, units }: Characters, byte: number): number {
  return units[ofByte[byte] ?? units.length - 1] ?? 0;
}

function blanksFrom(text: string, unit: number): string {
  return /^\p{White_Space}*/u.exec(text.slice(unit))?.[0] ?? '';
}

function blanksAtStart(token: string): number {
  let count = 0;
  while (isBlank(token[count])) count++;
  return count;
}

function blanksAtEnd(token: string): number {
  let count = 0;
  while (isBlank(token[token.length - 1 - count])) count++;
  return count;
}

/** Of a token: added ones have real blanks. */
function isBlank(character: string | undefined): boolean {
  return character === BLANK_CHARACTER || (character !== undefined && /\p{White_Space}/u.test(character));
}

/** The first place at which `part` lies in `bytes` from `from` on: between the two there are only blanks. */
function indexOf(bytes: Uint8Array, part: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && !part.every((byte, i) => bytes[at + i] === byte)) at++;
  return at;
}
