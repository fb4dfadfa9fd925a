import type { WebGPUBackend } from '../../src/backends/webgpu/backend';
import { attention } from '../../src/ops/attention';
import { batchOf, type Row, timeOp } from './measure';

/** Attention at MiniLM's shape (12 heads of 32), 2,048 tokens as many short and as few long sequences. */
export async function benchAttention(backend: WebGPUBackend): Promise<Row[]> {
  const hidden = 384;
  const rows: Row[] = [];
  for (const dropout of [0, 0.1]) {
    for (const [count, length] of [
      [64, 32],
      [16, 128],
    ] as const) {
      const batch = batchOf(count, length);
      const { forward, backward } = await timeOp(backend, batch, async (tape, inputs) => {
        const qkv = await inputs.tensor('qkv', 'tokens', 3 * hidden, 'activation');
        return attention(tape, qkv, 12, { dropout });
      });
      // A product of length × length × hidden for each sequence; two forward, seven backward, s and dp made by each side.
      const gigaflop = (2 * count * length * length * hidden) / 1e9;
      const shape = `${count} sequences of ${length} × ${hidden}, dropout ${dropout}`;
      rows.push(
        row('attention forward', shape, forward, 2 * gigaflop),
        row('attention backward', shape, backward, 7 * gigaflop),
      );
    }
  }
  return rows;
}

function row(kernel: string, shape: string, milliseconds: number, gigaflop: number): Row {
  return { kernel, shape, milliseconds, gflops: (gigaflop * 1000) / milliseconds };
}
