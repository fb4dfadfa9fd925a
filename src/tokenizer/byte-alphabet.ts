/**
 * The characters that stand for bytes in the tokens of a byte-level BPE: GPT-2's `bytes_to_unicode`. Printable characters of Latin-1 stand
 * for themselves, the other bytes for U+0100, U+0101, … in their order; so a blank is Ġ.
 */
const PRINTABLE = [
  [0x21, 0x7e],
  [0xa1, 0xac],
  [0xae, 0xff],
] as const;

function byteCharacters(): string[] {
  let other = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = PRINTABLE.some(([first, last]) => byte >= first && byte <= last);
    return String.fromCharCode(isPrintable ? byte : other++);
  });
}

/** By byte. */
export const BYTE_CHARACTERS: readonly string[] = byteCharacters();

const BYTES: ReadonlyMap<string, number> = new Map(
  BYTE_CHARACTERS.map((character, byte) => [character, byte]),
);

/**
 * The text of tokens in a row, as Hugging Face's ByteLevel decoder has it: bytes that are no UTF-8 are U+FFFD, a token with another
 * character is taken as it is.
 */
export function textOfTokens(tokens: readonly string[]): string {
  const bytes = tokens.flatMap((token) => {
    const own = Array.from(token, (character) => BYTES.get(character));
    const known = own.filter((byte) => byte !== undefined);
    return known.length === own.length ? known : [...new TextEncoder().encode(token)];
  });
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}
