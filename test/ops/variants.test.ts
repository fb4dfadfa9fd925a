import { beforeAll, describe, expect, it } from 'vitest';
import { VARIANT_NAMES, type VariantName } from '../../src/backends/kernel';
import type { DeviceBuffer } from '../../src/backends/schedule';
import { WebGPUBackend } from '../../src/backends/webgpu/backend';
import { linear } from '../../src/ops/linear';
import { CaseRandom } from '../../src/reference/random';
import { differentiate } from '../../src/scheduler/backward';
import { buildSchedule } from '../../src/scheduler/build-schedule';
import { packBatch } from '../../src/scheduler/packed-batch';
import { frozen, Tape, trainable } from '../../src/scheduler/tape';

/** Sums its inner dimension in slices, so its last bits are its own. */
const SLICED = { weightGradient: ['tiled', 'blocked', 'wide'] } as const;

interface Bits {
  readonly output: Float32Array;
  readonly xGradient: Float32Array;
  readonly weightGradient: Float32Array;
}

/** y = x Wᵀ + b and its gradients for `tokens` rows of arbitrary numbers, by the kernels of that name. */
async function compute(kernels: VariantName, tokens: number, inputs: number, outputs: number): Promise<Bits> {
  const backend = await WebGPUBackend.create({ kernels });
  try {
    const ids = new Uint32Array(tokens);
    const batch = packBatch({
      sequences: [{ ids, typeIds: ids }],
      labels: new Uint32Array(1),
      tokenOffset: 0,
      sequenceOffset: 0,
    });
    const random = new CaseRandom(5);
    const upload = async (floats: number, label: string): Promise<DeviceBuffer> => {
      const buffer = await backend.allocate(floats * 4, label);
      backend.write(buffer, 0, Float32Array.from(random.values(floats)));
      return buffer;
    };
    const x = {
      ...frozen('x', await upload(tokens * inputs, 'x'), tokens, inputs),
      requiresGradient: true,
      rows: 'tokens' as const,
    };
    const gradient = await backend.allocate(outputs * inputs * 4, 'gradient');
    const buffer = await upload(outputs * inputs, 'weight');
    const weight = trainable('weight', { buffer, gradient, byteOffset: 0 }, outputs, inputs);
    const bias = frozen('bias', await upload(outputs, 'bias'), 1, outputs);
    const tape = new Tape();
    const output = linear(tape, x, weight, bias);
    const seed = {
      ...frozen('seed', await upload(tokens * outputs, 'seed'), 1, outputs),
      rows: 'tokens' as const,
    };
    const { dispatches, gradients } = differentiate(tape, new Map([[output, seed]]));
    const xGradient = gradients.get(x);
    if (xGradient === undefined) throw new Error('x has no gradient');
    const schedule = buildSchedule('bits', [...tape.forward(), ...dispatches], { output, xGradient }, batch);
    const executable = await backend.prepare(schedule);
    const run = await executable.run({ microBatches: [batch], seed: 0, step: 0, lossScale: 1 });
    const result = (name: string) =>
      run.outputs[schedule.outputs.findIndex((item) => item.name === name)] ?? new Float32Array(0);
    return {
      output: result('output'),
      xGradient: result('xGradient'),
      weightGradient: await backend.read(gradient, outputs * inputs),
    };
  } finally {
    backend.dispose();
  }
}

describe('every shape of product gives the same bits', () => {
  const sizes = [37, 52, 44] as const;
  let expected: Bits;
  // Before the others, so that there is one device at a time.
  beforeAll(async () => {
    expected = await compute('naive', ...sizes);
  });

  it.each(VARIANT_NAMES.filter((name) => name !== 'naive'))('%s', async (name) => {
    const bits = await compute(name, ...sizes);
    const { output, xGradient, weightGradient } = expected;
    expect(output.length).toBe(37 * 44);
    expect(bits.output).toEqual(output);
    expect(bits.xGradient).toEqual(xGradient);
    if (!SLICED.weightGradient.some((sliced) => sliced === name)) {
      expect(bits.weightGradient).toEqual(weightGradient);
    }
  });
});
