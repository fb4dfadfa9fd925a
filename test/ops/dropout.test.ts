import { describe, expect, it } from 'vitest';
import { dropout } from '../../src/ops/dropout';
import { type Draw, dropoutMask } from '../../src/reference/dropout';
import { buildSchedule } from '../../src/scheduler/build-schedule';
import { packBatch } from '../../src/scheduler/packed-batch';
import { frozen, Tape } from '../../src/scheduler/tape';
import { useWebGPU } from '../support/backends';

const draw: Draw = { seed: 11, step: 5, opKey: 3, probability: 0.1 };
const [rows, columns] = [400, 250];

/** Pearson's correlation of two masks, of about normal(0, 1/√n) where they are independent. */
function correlation(a: Float64Array, b: Float64Array): number {
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((value, i) => {
    const other = b[i] ?? Number.NaN;
    ab += (value - ma) * (other - mb);
    aa += (value - ma) ** 2;
    bb += (other - mb) ** 2;
  });
  return ab / Math.sqrt(aa * bb);
}

describe('a dropout mask', () => {
  const mask = dropoutMask(draw, rows, columns);
  // Five standard deviations of what independent draws give.
  const bound = 5 / Math.sqrt(mask.length);

  it('drops its share and keeps the mean', () => {
    const dropped = mask.filter((factor) => factor === 0).length / mask.length;
    expect(Math.abs(dropped - 0.1)).toBeLessThan(bound * Math.sqrt(0.1 * 0.9));
    expect(new Set(mask)).toEqual(new Set([0, 1 / 0.9]));
  });

  it.each([
    ['neighbouring columns', mask.subarray(1), mask.subarray(0, -1)],
    ['neighbouring draws', mask.subarray(4), mask.subarray(0, -4)],
    ['neighbouring rows', mask.subarray(columns), mask.subarray(0, -columns)],
    ['neighbouring steps', dropoutMask({ ...draw, step: 6 }, rows, columns), mask],
    ['neighbouring ops', dropoutMask({ ...draw, opKey: 4 }, rows, columns), mask],
    ['neighbouring seeds', dropoutMask({ ...draw, seed: 12 }, rows, columns), mask],
  ])('has no correlation between %s', (_, a, b) => {
    expect(Math.abs(correlation(a, b))).toBeLessThan(bound);
  });
});

describe('dropout of a batch', () => {
  const backend = useWebGPU();

  it('is the same split into micro-batches, and another one in the next step', async () => {
    const buffer = await backend().allocate(12 * 16 * 4, 'ones');
    backend().write(buffer, 0, new Float32Array(12 * 16).fill(1));
    const tape = new Tape();
    const output = dropout(tape, { ...frozen('ones', buffer, 12, 16), rows: 'tokens' }, 0.3);
    const sequence = (length: number) => ({ ids: new Uint32Array(length), typeIds: new Uint8Array(length) });
    const pack = (lengths: number[], tokenOffset: number, sequenceOffset: number) =>
      packBatch({
        sequences: lengths.map(sequence),
        labels: new Uint32Array(0),
        tokenOffset,
        sequenceOffset,
      });
    const whole = pack([5, 4, 3], 0, 0);
    const split = [pack([5], 0, 0), pack([4, 3], 5, 1)];
    const executable = await backend().prepare(buildSchedule('ones', tape.forward(), { output }, whole));
    const run = async (microBatches: (typeof whole)[], step: number) =>
      (await executable.run({ microBatches, seed: 1, step, lossScale: 1 })).outputs[0];
    const mask = await run([whole], 1);
    expect(await run(split, 1)).toEqual(mask);
    expect(await run([whole], 2)).not.toEqual(mask);
    // The oracle draws the very same.
    const expected = dropoutMask({ seed: 1, step: 1, opKey: 1, probability: 0.3 }, 12, 16);
    expect(mask).toEqual(Float32Array.from(expected));
    executable.dispose();
    buffer.dispose();
  });
});
