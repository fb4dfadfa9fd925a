// The Batch block (src/backends/batch-layout.ts) as kernels read it: eight words.

export function tokenCount(batch: usize): u32 {
  return load<u32>(batch);
}

export function sequenceCount(batch: usize): u32 {
  return load<u32>(batch, 4);
}

/** Tokens of the logical batch that earlier micro-batches held. */
export function tokenOffset(batch: usize): u32 {
  return load<u32>(batch, 12);
}

/** Sequences likewise. */
export function sequenceOffset(batch: usize): u32 {
  return load<u32>(batch, 16);
}

/** 1 / sequences of the logical batch. */
export function lossScale(batch: usize): f32 {
  return load<f32>(batch, 28);
}

/** A tensor's live rows from its code: `rowsCode` in src/backends/kernel.ts. */
export function rowCount(batch: usize, code: u32): u32 {
  return code < 3 ? load<u32>(batch + ((<usize>code) << 2)) : code - 3;
}

/** The address that is the buffer of binding `index`. */
export function bufferAt(buffers: usize, index: usize): usize {
  return load<u32>(buffers + (index << 2));
}
