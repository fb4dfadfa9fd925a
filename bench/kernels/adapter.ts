import type { WebGPUBackend } from '../../src/backends/webgpu/backend';
import { adapter } from '../../src/ops/adapter';
import { batchOf, type Row, timeOp } from './measure';

const TOKENS = 512;
const BOTTLENECK = 64;

/** The whole bottleneck at MiniLM's and BERT-base's width, all of it trained. */
export async function benchAdapter(backend: WebGPUBackend): Promise<Row[]> {
  const rows: Row[] = [];
  for (const hidden of [384, 768]) {
    const { forward, backward } = await timeOp(backend, batchOf(1, TOKENS), async (tape, given) => {
      const x = await given.tensor('x', 'tokens', hidden, 'activation');
      const weights = {
        downWeight: await given.tensor('down weight', BOTTLENECK, hidden, 'parameter'),
        downBias: await given.tensor('down bias', 1, BOTTLENECK, 'parameter'),
        upWeight: await given.tensor('up weight', hidden, BOTTLENECK, 'parameter'),
        upBias: await given.tensor('up bias', 1, hidden, 'parameter'),
      };
      return adapter(tape, x, weights, 'gelu_tanh');
    });
    // Two products forward, four backward.
    rows.push(row('adapter forward', hidden, forward, 2), row('adapter backward', hidden, backward, 4));
  }
  return rows;
}

function row(kernel: string, hidden: number, milliseconds: number, products: number): Row {
  const gflops = (products * 2 * TOKENS * hidden * BOTTLENECK) / milliseconds / 1e6;
  return { kernel, shape: `${TOKENS}×${hidden}, bottleneck ${BOTTLENECK}`, milliseconds, gflops };
}
