import type { WebGPUBackend } from '../../src/backends/webgpu/backend';
import { linear } from '../../src/ops/linear';
import { batchOf, type Row, timeOp } from './measure';

interface Shape {
  readonly tokens: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** The encoder's products by a frozen weight, forward and for the gradient of x; one trained weight. */
export async function benchLinear(backend: WebGPUBackend): Promise<Row[]> {
  const rows: Row[] = [];
  // The product that platforms are compared on, then BERT-base's feed-forward pair and MiniLM's fused query, key, value.
  for (const shape of [
    { tokens: 512, inputs: 768, outputs: 768 },
    { tokens: 512, inputs: 768, outputs: 3072 },
    { tokens: 512, inputs: 3072, outputs: 768 },
    { tokens: 512, inputs: 384, outputs: 1152 },
  ]) {
    const { forward, backward } = await time(backend, shape, 'frozen');
    rows.push(row('linear forward', shape, forward), row('linear gradient of x', shape, backward));
  }
  const head = { tokens: 2048, inputs: 384, outputs: 64 };
  const trained = await time(backend, head, 'parameter', 'frozen');
  rows.push(row('linear gradients of W, b', head, trained.backward));
  return rows;
}

function time(
  backend: WebGPUBackend,
  { tokens, inputs, outputs }: Shape,
  weightRole: 'parameter' | 'frozen',
  xRole: 'activation' | 'frozen' = 'activation',
) {
  return timeOp(backend, batchOf(1, tokens), async (tape, given) => {
    const x = await given.tensor('x', 'tokens', inputs, xRole);
    const weight = await given.tensor('weight', outputs, inputs, weightRole);
    const bias = await given.tensor('bias', 1, outputs, weightRole);
    return linear(tape, x, weight, bias);
  });
}

function row(kernel: string, { tokens, inputs, outputs }: Shape, milliseconds: number): Row {
  const gflops = (2 * tokens * inputs * outputs) / milliseconds / 1e6;
  return { kernel, shape: `${tokens}×${inputs}×${outputs}`, milliseconds, gflops };
}
