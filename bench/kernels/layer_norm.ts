import type { WebGPUBackend } from '../../src/backends/webgpu/backend';
import { layerNorm } from '../../src/ops/layer_norm';
import { batchOf, type Row, timeOp } from './measure';

/** Residual + layer norm at MiniLM's and BERT-base's width, 2,048 tokens, everything trained. */
export async function benchLayerNorm(backend: WebGPUBackend): Promise<Row[]> {
  const batch = batchOf(64, 32);
  const rows: Row[] = [];
  for (const hidden of [384, 768]) {
    const { forward, backward } = await timeOp(backend, batch, async (tape, inputs) => {
      const x = await inputs.tensor('x', 'tokens', hidden, 'activation');
      const residual = await inputs.tensor('residual', 'tokens', hidden, 'activation');
      const gamma = await inputs.tensor('gamma', 1, hidden, 'parameter');
      const beta = await inputs.tensor('beta', 1, hidden, 'parameter');
      return layerNorm(tape, x, residual, gamma, beta, 1e-12);
    });
    // Tensors of [T, hidden] that each pass must move at least: x, residual, x̂, y; dy and x̂ twice, dr.
    const gigabytes = (batch.tokenCount * hidden * 4) / 1e9;
    const shape = `${batch.tokenCount}×${hidden}`;
    rows.push(
      row('layer_norm forward', shape, forward, 4 * gigabytes),
      row('layer_norm backward', shape, backward, 5 * gigabytes),
    );
  }
  return rows;
}

function row(kernel: string, shape: string, milliseconds: number, gigabytes: number): Row {
  return { kernel, shape, milliseconds, gigabytesPerSecond: (gigabytes * 1000) / milliseconds };
}
