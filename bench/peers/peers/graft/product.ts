import type { Executable } from '../../../../src/backends/backend';
import { frozenLinear } from '../../../../src/ops/frozen_linear';
import { buildSchedule } from '../../../../src/scheduler/build-schedule';
import { packBatch } from '../../../../src/scheduler/packed-batch';
import { frozen, frozenMatrix, Tape, type Tensor } from '../../../../src/scheduler/tape';
import { readTensors } from '../../inputs-format';
import type { Job } from '../../protocol';
import { type Contestant, timed } from '../../serve';
import { openBackend } from './runtime';

/** Products in one submission. */
const REPEATS = 10;

/** y = x Wᵀ + b, b = 0: the product by a frozen weight that an encoder is made of. */
export async function product(job: Job): Promise<Contestant> {
  const backend = await openBackend(job);
  const inputs = await readTensors(job.inputs, 'product.safetensors');
  const find = (name: string) => {
    const tensor = inputs.get(name);
    if (tensor === undefined) throw new Error(`there is no ${name}`);
    return tensor;
  };
  const upload = async (name: string, data: Float32Array) => {
    const buffer = await backend.allocate(data.byteLength, name);
    backend.write(buffer, 0, data);
    return buffer;
  };
  const [rows = 0, inner = 0] = find('x').shape;
  const [columns = 0] = find('weight').shape;
  const x: Tensor = { ...frozen('x', await upload('x', find('x').data), 1, inner), rows: 'tokens' };
  const spec = { label: 'weight', rows: columns, columns: inner, storage: 'f32', use: 'product' } as const;
  const matrix = await backend.allocateMatrix(spec);
  matrix.writeRows(0, find('weight').data);
  const weight = frozenMatrix('weight', matrix.buffer, inner, {
    rows: columns,
    storage: 'f32',
    scales: undefined,
  });
  const bias = frozen('bias', await upload('bias', new Float32Array(columns)), 1, columns);

  const ids = new Uint32Array(rows);
  const batch = packBatch({
    sequences: [{ ids, typeIds: ids }],
    labels: new Uint32Array(0),
    tokenOffset: 0,
    sequenceOffset: 0,
  });
  const tape = new Tape();
  const y = frozenLinear(tape, x, weight, bias);
  const prepare = (repeats: number, outputs: Record<string, Tensor>) => {
    const dispatches = Array.from({ length: repeats }, () => tape.forward()).flat();
    return backend.prepare(buildSchedule('product', dispatches, outputs, batch));
  };
  // Reading anything back at all is what makes a run wait for the device.
  const mark = await backend.allocate(16, 'mark');
  const run = (executable: Executable) =>
    executable.run({
      microBatches: [batch],
      seed: 0,
      step: 0,
      lossScale: 1,
      readBack: [{ buffer: mark, into: () => new Float32Array(4) }],
    });

  const once = await run(await prepare(1, { y }));
  const repeated = await prepare(REPEATS, {});
  return {
    setup: backend.device.name,
    check: once.outputs[0] ?? new Float32Array(),
    round: async () => {
      const { milliseconds } = await timed(1, () => run(repeated));
      return { milliseconds: milliseconds / REPEATS };
    },
  };
}
