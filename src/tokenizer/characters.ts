/** The code points of a text, by the bytes of its UTF-8 and in the code units of the JavaScript string. */
export interface Characters {
  /** `[bytes]`: which code point each byte belongs to. */
  readonly ofByte: Uint32Array;
  /** `[code points + 1]`: where each begins in the string; last, the string's length. */
  readonly units: Uint32Array;
}

/** A lone surrogate is a code point of its own, of three bytes: TextEncoder writes U+FFFD in its place. */
export function charactersOf(text: string): Characters {
  const ofByte: number[] = [];
  const units: number[] = [];
  for (let unit = 0; unit < text.length; ) {
    const codePoint = text.codePointAt(unit) ?? 0;
    const bytes = codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
    for (let byte = 0; byte < bytes; byte++) ofByte.push(units.length);
    units.push(unit);
    unit += codePoint < 0x10000 ? 1 : 2;
  }
  units.push(text.length);
  return { ofByte: Uint32Array.from(ofByte), units: Uint32Array.from(units) };
}
