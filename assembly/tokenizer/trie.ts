/*
 * The vocabulary as tries over UTF-8 bytes, in one open-addressing hash table: (node, byte) → child. A token ends on whole code
 * points, so a longest match in bytes is one in code points. Building needs no sorting and costs one probe a byte, whatever the
 * tokens are; a walk costs one probe a byte of input.
 *
 * A slot is a u64: the key `node << 8 | byte` below (0: empty), the child above, with TERMINAL set where a token ends. No token
 * holds a zero byte, so the key of byte 0 is free to hold the token's id.
 */

/** Tokens that begin a word. */
export const INITIAL: u32 = 1;
/** Tokens that go on with a word, without their `##`. */
export const CONTINUATION: u32 = 2;
/** Tokens found in the raw text before anything is normalised, such as [MASK]. */
export const ADDED: u32 = 3;
/** Tokens found in what those leave: in byte-level BPE those marked `normalized`, though nothing is normalised there. */
export const ADDED_LAST: u32 = 4;

export const TERMINAL: u32 = 0x80000000;
/** A node must fit into 24 bits of a key. */
const MAX_NODES: u32 = 1 << 24;
/** 2³² / golden ratio: Knuth's multiplicative hashing. */
const GOLDEN: u32 = 0x9e3779b1;

let table: usize = 0;
let slotBits: u32 = 0;
let used: u32 = 0;
let nodes: u32 = 0;

export function initTrie(): void {
  slotBits = 12;
  table = emptyTable();
  used = 0;
  nodes = ADDED_LAST + 1;
}

/** What follows `node` on `byte`: a node, perhaps with TERMINAL, or 0. */
export function step(node: u32, byte: u32): u32 {
  const slot = load<u64>(slotOf((node << 8) | byte));
  return <u32>(slot >> 32);
}

/** The id of the token that ends at `node`, a node reached with TERMINAL. */
export function tokenAt(node: u32): u32 {
  return step(node, 0);
}

/** Adds the token of `length` ≥ 1 bytes, none of them 0. False if there is no room for more nodes. */
export function insertToken(root: u32, bytes: usize, length: usize, id: u32): bool {
  let node = root;
  for (let i: usize = 0; i < length; i++) {
    if ((used + 2) * 2 > (<u32>1) << slotBits) grow();
    const key = (node << 8) | load<u8>(bytes + i);
    const slot = slotOf(key);
    let child = <u32>(load<u64>(slot) >> 32);
    if (child === 0) {
      if (nodes === MAX_NODES) return false;
      child = nodes++;
      used++;
    }
    if (i === length - 1) child |= TERMINAL;
    store<u64>(slot, ((<u64>child) << 32) | key);
    node = child & ~TERMINAL;
  }
  const key = node << 8;
  const slot = slotOf(key);
  if (load<u64>(slot) === 0) used++;
  store<u64>(slot, ((<u64>id) << 32) | key);
  return true;
}

/** The slot that holds `key`, or the empty one where it belongs. The table is at most half full, so there is one. */
function slotOf(key: u32): usize {
  let index = (key * GOLDEN) >> (32 - slotBits);
  while (true) {
    const slot = table + ((<usize>index) << 3);
    const found = load<u32>(slot);
    if (found === key || found === 0) return slot;
    index = (index + 1) & ((1 << slotBits) - 1);
  }
}

function emptyTable(): usize {
  const bytes = (<usize>1) << (slotBits + 3);
  const address = heap.alloc(bytes);
  memory.fill(address, 0, bytes);
  return address;
}

function grow(): void {
  const old = table;
  const end = old + ((<usize>1) << (slotBits + 3));
  slotBits++;
  table = emptyTable();
  for (let slot = old; slot < end; slot += 8) {
    const entry = load<u64>(slot);
    if (entry !== 0) store<u64>(slotOf(<u32>entry), entry);
  }
}
