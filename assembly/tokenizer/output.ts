/* The ids of the texts that are being encoded, one after another, u32 each. */

/** Where the next id goes. */
let out: usize = 0;

export function outputEnd(): usize {
  return out;
}

export function setOutputEnd(address: usize): void {
  out = address;
}

export function emit(id: u32): void {
  store<u32>(out, id);
  out += 4;
}
