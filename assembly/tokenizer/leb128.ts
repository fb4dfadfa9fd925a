/* Numbers as LEB128, one after another: how the tables that tools/unicode writes are packed. */

let cursor: usize = 0;

/** Where the next number is read. */
export function readFrom(address: usize): void {
  cursor = address;
}

/** Unsigned LEB128. */
export function readNumber(): u32 {
  let value: u32 = 0;
  let shift: u32 = 0;
  while (true) {
    const byte: u32 = load<u8>(cursor++);
    value |= (byte & 127) << shift;
    if (byte < 128) return value;
    shift += 7;
  }
}

/** Zigzag-coded. */
export function readSigned(): i32 {
  const value = readNumber();
  return <i32>(value >> 1) ^ -(<i32>(value & 1));
}
