import type { MicroBatch, RunRequest } from './backend';
import { type BatchShape, countRows } from './kernel';
import type { BatchField, BatchTable, Schedule } from './schedule';

const ALIGNMENT = 256;

/** Where the `Batch` block (shaders/lib/batch.wgsl) and the tables of a packed batch lie within one buffer, in bytes. */
export interface BatchLayout {
  readonly block: { readonly byteOffset: 0; readonly byteLength: number };
  readonly fields: Readonly<Record<BatchField, { readonly byteOffset: number; readonly byteLength: number }>>;
  readonly labels: BatchTable;
  readonly hidden: BatchTable;
  readonly byteLength: number;
}

/** The layout for the largest batch; smaller ones leave the ends of their fields unused. */
export function layOutBatch({
  capacity,
  labels,
  hidden,
}: Pick<Schedule, 'capacity' | 'labels' | 'hidden'>): BatchLayout {
  let end = ALIGNMENT;
  const place = (words: number) => {
    const byteOffset = end;
    const byteLength = Math.max(16, words * 4);
    end += Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT;
    return { byteOffset, byteLength };
  };
  const fields = {
    tokens: place(capacity.tokenCount * 4),
    offsets: place(capacity.sequenceCount + 1),
    tiles: place(capacity.tileCount * 4),
    labels: place(countElements(labels, capacity)),
    // The only large field is the last one: see `encodedLength`.
    hidden: place(countElements(hidden, capacity)),
  };
  return { block: { byteOffset: 0, byteLength: 32 }, fields, labels, hidden, byteLength: end };
}

function countElements({ rows, columns }: BatchTable, shape: BatchShape): number {
  return countRows(rows, shape) * columns;
}

/** Bytes of the layout that a batch fills: what is to be uploaded. A multiple of 4. */
export function encodedLength(layout: BatchLayout, batch: MicroBatch): number {
  return layout.fields.hidden.byteOffset + (batch.hidden?.byteLength ?? 0);
}

/** Writes one micro-batch into `bytes` at `byteOffset`, laid out as above. */
export function encodeBatch(
  bytes: ArrayBuffer,
  byteOffset: number,
  layout: BatchLayout,
  batch: MicroBatch,
  request: Pick<RunRequest, 'seed' | 'step' | 'lossScale'>,
): void {
  const view = new DataView(bytes, byteOffset, layout.block.byteLength);
  const words = [
    batch.tokenCount,
    batch.sequenceCount,
    batch.tileCount,
    batch.tokenOffset,
    batch.sequenceOffset,
    request.seed,
    request.step,
  ];
  words.forEach((word, index) => {
    view.setUint32(index * 4, word, true);
  });
  view.setFloat32(28, request.lossScale, true);
  const hiddenLength = countElements(layout.hidden, batch);
  if ((batch.hidden?.length ?? 0) !== hiddenLength) {
    throw new RangeError(
      `the schedule takes hidden states of ${hiddenLength} numbers, the batch has ${batch.hidden?.length ?? 0}`,
    );
  }
  const labelLength = countElements(layout.labels, batch);
  if (labelLength > 0 && batch.labels.length !== labelLength) {
    throw new RangeError(`the schedule takes ${labelLength} labels, the batch has ${batch.labels.length}`);
  }
  for (const field of ['tokens', 'offsets', 'tiles', 'labels', 'hidden'] as const) {
    const data = batch[field];
    if (data === undefined || (field === 'labels' && labelLength === 0)) continue;
    const place = layout.fields[field];
    if (data.byteLength > place.byteLength) {
      throw new RangeError(
        `${field} of the batch exceed the schedule's capacity: ${data.byteLength} > ${place.byteLength} bytes`,
      );
    }
    const source = new Uint32Array(data.buffer, data.byteOffset, data.length);
    new Uint32Array(bytes, byteOffset + place.byteOffset, data.length).set(source);
  }
}
