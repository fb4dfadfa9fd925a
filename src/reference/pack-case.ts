import type { MicroBatch } from '../backends/backend';
import { countTokens, type OpCase } from './case';

/** Queries a tile of the attention's table: as in src/scheduler/packed-batch.ts. */
const QUERY_TILE = 16;

/** The packed batch of a case, built apart from the library's own packing, which it checks by the way. */
export function packCase(item: OpCase): MicroBatch {
  const { sequences } = item;
  const tokens: number[] = [];
  const offsets = [0];
  const tiles: number[] = [];
  sequences.forEach(({ ids, typeIds }, sequence) => {
    const start = tokens.length / 4;
    ids.forEach((id, position) => {
      tokens.push(id, position, typeIds[position] ?? 0, sequence);
    });
    for (let tileStart = 0; tileStart < ids.length; tileStart += QUERY_TILE) {
      tiles.push(start, ids.length, tileStart, sequence);
    }
    offsets.push(start + ids.length);
  });
  return {
    tokenCount: countTokens(sequences),
    sequenceCount: sequences.length,
    tileCount: tiles.length / 4,
    tokens: Uint32Array.from(tokens),
    offsets: Uint32Array.from(offsets),
    tiles: Uint32Array.from(tiles),
    labels: item.labels ?? new Uint32Array(0),
    tokenOffset: 0,
    sequenceOffset: 0,
  };
}
