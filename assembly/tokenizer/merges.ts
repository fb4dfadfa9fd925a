/*
 * The merges of a byte-pair encoding in an open-addressing hash table: (left id, right id) → rank. A slot is a u64, so that the
 * table of 50,000 merges is 1 MB: left in 22 bits, right in 22, rank + 1 in 20 (0: empty).
 */

/** The rank of a pair that is not merged: above all others. */
export const NO_MERGE: u32 = u32.MAX_VALUE;

const ID_BITS: u64 = 22;
const RANK_BITS: u64 = 20;
/** 2⁵³ / golden ratio: Knuth's multiplicative hashing. */
const GOLDEN: u64 = 0x13c6ef372fe94f;

let table: usize = 0;
let slotBits: u64 = 0;
/** u32 [merges]: the token that each makes. */
let results: usize = 0;

/** Takes `count` merges, u32 [count, 3] at `merges`: left, right, result, in the order of their ranks. No pair occurs twice. */
export function initMerges(merges: usize, count: u32): void {
  results = heap.alloc((<usize>count + 1) << 2);
  slotBits = 4;
  // At most half full, so that an empty slot ends every search soon.
  while (<u64>count * 2 > (<u64>1) << slotBits) slotBits++;
  const bytes = (<usize>8) << (<usize>slotBits);
  table = heap.alloc(bytes);
  memory.fill(table, 0, bytes);
  for (let rank: u32 = 0; rank < count; rank++) {
    const merge = merges + <usize>rank * 12;
    const key = keyOf(load<u32>(merge), load<u32>(merge, 4));
    let slot = firstSlot(key);
    while (load<u64>(slot) !== 0) slot = nextSlot(slot);
    store<u64>(slot, (key << RANK_BITS) | (rank + 1));
    store<u32>(results + ((<usize>rank) << 2), load<u32>(merge, 8));
  }
}

/** When a pair is merged, the lower the earlier; NO_MERGE if never. */
export function rankOf(left: u32, right: u32): u32 {
  const key = keyOf(left, right);
  let slot = firstSlot(key);
  while (true) {
    const found = load<u64>(slot);
    if (found >> RANK_BITS === key) return (<u32>found & ((1 << (<u32>RANK_BITS)) - 1)) - 1;
    if (found === 0) return NO_MERGE;
    slot = nextSlot(slot);
  }
}

/** The token that the merge of a rank makes. */
export function resultOf(rank: u32): u32 {
  return load<u32>(results + ((<usize>rank) << 2));
}

function keyOf(left: u32, right: u32): u64 {
  return ((<u64>left) << ID_BITS) | right;
}

function firstSlot(key: u64): usize {
  return table + ((<usize>((key * GOLDEN) >> (64 - slotBits))) << 3);
}

function nextSlot(slot: usize): usize {
  return table + ((slot + 8 - table) & (((<usize>8) << (<usize>slotBits)) - 1));
}
