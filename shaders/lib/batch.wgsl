// Put before every shader. The numbers of the micro-batch at hand; src/backends/batch-layout.ts writes them.
struct Batch {
  tokens: u32,          // T
  sequences: u32,       // B
  tiles: u32,           // rows of the query-tile table
  token_offset: u32,    // tokens of the logical batch that earlier micro-batches held
  sequence_offset: u32, // sequences likewise
  seed: u32,
  step: u32,
  loss_scale: f32,      // 1 / sequences of the logical batch
}

@group(0) @binding(0) var<uniform> batch: Batch;

// A tensor's live rows from its code (`rowsCode` in src/backends/kernel.ts).
fn row_count(code: u32) -> u32 {
  switch code {
    case 0u: { return batch.tokens; }
    case 1u: { return batch.sequences; }
    case 2u: { return batch.tiles; }
    default: { return code - 3u; }
  }
}

// A grid longer than 65,535 workgroups is folded into rows: this undoes it. For one-dimensional kernels.
fn flat_workgroup(id: vec3u, count: vec3u) -> u32 {
  return id.y * count.x + id.x;
}
