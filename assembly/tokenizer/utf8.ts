/*
 * The code point at an address, by its length in UTF-8. Nothing is checked: all text comes from TextEncoder, which writes nothing
 * malformed.
 */

export function decode2(at: usize): u32 {
  return ((<u32>load<u8>(at) & 31) << 6) | tail(at + 1);
}

export function decode3(at: usize): u32 {
  return ((<u32>load<u8>(at) & 15) << 12) | (tail(at + 1) << 6) | tail(at + 2);
}

export function decode4(at: usize): u32 {
  return ((<u32>load<u8>(at) & 7) << 18) | (tail(at + 1) << 12) | (tail(at + 2) << 6) | tail(at + 3);
}

function tail(at: usize): u32 {
  return <u32>load<u8>(at) & 63;
}
