/** Most queries in one tile of attention: a tile's scores live in registers or workgroup memory. */
export const QUERY_TILE = 16;

/** One encoded text or pair: token ids and token types, both `[length]`. */
export interface TokenSequence {
  readonly ids: ArrayLike<number>;
  readonly typeIds: ArrayLike<number>;
}

/** Sequences laid end to end without padding: T tokens, B sequences. What a schedule is replayed with. */
export interface PackedBatch {
  /** T */
  readonly tokenCount: number;
  /** B */
  readonly sequenceCount: number;
  /** Rows of `tiles`. */
  readonly tileCount: number;
  /** `[T, 4]`: token id, position in its sequence, token type, index of its sequence in this batch. */
  readonly tokens: Uint32Array<ArrayBuffer>;
  /** `[B + 1]`: where each sequence starts, then T. */
  readonly offsets: Uint32Array<ArrayBuffer>;
  /**
   * `[tiles, 4]`: first token of the sequence, its length, first query of the tile counted inside the sequence, index
   * of the sequence. A tile holds QUERY_TILE queries, the last of a sequence what is left.
   */
  readonly tiles: Uint32Array<ArrayBuffer>;
  /** `[T, hidden]`, or `[B, hidden]` where all layers are left out: what a schedule starts from that leaves the lower ones out. */
  readonly hidden?: Float32Array<ArrayBuffer> | undefined;
  /** Tokens of the logical batch before this micro-batch: dropout masks are keyed by the token's place in the whole. */
  readonly tokenOffset: number;
  /** Sequences of the logical batch before this micro-batch. */
  readonly sequenceOffset: number;
  /** Class numbers or target values, row after row as the schedule's loss reads them; `[0]` when only predictions are wanted. */
  readonly labels: Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
}

export interface Packing {
  readonly sequences: readonly TokenSequence[];
  /** As in the batch. */
  readonly labels: PackedBatch['labels'];
  readonly tokenOffset: number;
  readonly sequenceOffset: number;
}

/** Lays sequences end to end, in their order, and cuts them into query tiles. */
export function packBatch({ sequences, labels, tokenOffset, sequenceOffset }: Packing): PackedBatch {
  let tokenCount = 0;
  let tileCount = 0;
  for (const { ids } of sequences) {
    tokenCount += ids.length;
    tileCount += Math.ceil(ids.length / QUERY_TILE);
  }
  const tokens = new Uint32Array(tokenCount * 4);
  const offsets = new Uint32Array(sequences.length + 1);
  const tiles = new Uint32Array(tileCount * 4);
  let start = 0;
  let tile = 0;
  sequences.forEach(({ ids, typeIds }, sequence) => {
    const length = ids.length;
    offsets[sequence] = start;
    for (let position = 0; position < length; position++) {
      const row = (start + position) * 4;
      tokens[row] = ids[position] ?? 0;
      tokens[row + 1] = position;
      tokens[row + 2] = typeIds[position] ?? 0;
      tokens[row + 3] = sequence;
    }
    for (let tileStart = 0; tileStart < length; tileStart += QUERY_TILE) {
      tiles.set([start, length, tileStart, sequence], tile * 4);
      tile += 1;
    }
    start += length;
  });
  offsets[sequences.length] = start;
  return {
    tokenCount,
    sequenceCount: sequences.length,
    tileCount,
    tokens,
    offsets,
    tiles,
    tokenOffset,
    sequenceOffset,
    labels,
  };
}
