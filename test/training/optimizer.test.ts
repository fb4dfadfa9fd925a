import { describe, expect, it } from 'vitest';
import { FileFormatError, OptionError } from '../../src/errors';
import { learningRateAt } from '../../src/training/learning-rate';
import { AdamW, type AdamWOptions, BERT_ADAMW, type ParameterSegment } from '../../src/training/optimizer';
import { Random } from '../../src/training/random';
import golden from '../golden/adamw.json' with { type: 'json' };
import { referenceAdamW, referenceState } from '../reference/adamw';

const DEFAULTS = { ...BERT_ADAMW, biasCorrection: false };

/** Segments of the given lengths, each on a multiple of 64 floats, every second one with decay. */
function layout(lengths: readonly number[]): { segments: ParameterSegment[]; size: number } {
  let size = 0;
  const segments = lengths.map((length, i) => {
    const offset = size;
    size += Math.ceil(length / 64) * 64;
    return { offset, length, decay: i % 2 === 0 };
  });
  return { segments, size };
}

/** The floats of all segments, in order. */
function gather(arena: Float32Array, segments: readonly ParameterSegment[]): number[] {
  return segments.flatMap(({ offset, length }) => Array.from(arena.subarray(offset, offset + length)));
}

function fill(arena: Float32Array, segments: readonly ParameterSegment[], next: (i: number) => number): void {
  for (const { offset, length } of segments) {
    for (let i = offset; i < offset + length; i++) arena[i] = next(i);
  }
}

function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  // An element that is not a number at all counts as infinitely wrong.
  return Array.from(actual, (value, i) => Math.abs(value - (expected[i] ?? Number.NaN))).reduce(
    (worst, difference) => (difference <= worst ? worst : Number.isNaN(difference) ? Infinity : difference),
    0,
  );
}

describe('AdamW against PyTorch', () => {
  const parameter = (i: number) => (((i * 7919 + 13) % 1009) - 504) / 5040;
  const gradient = (step: number, i: number) =>
    ((((step * 104729 + i * 7919 + step * i * 31) % 2003) - 1001) / 1001) * (step % 3 === 0 ? 1 : 0.05);

  it.each([
    { name: 'torch.optim.AdamW', biasCorrection: true, expected: golden.corrected },
    { name: 'without bias correction', biasCorrection: false, expected: golden.uncorrected },
  ])('$name: 20 steps with warm-up, decay groups and clipping', async ({ biasCorrection, expected }) => {
    const { segments, peak, warmupSteps, steps: totalSteps, weightDecay, epsilon, clipNorm } = golden;
    const size = 448;
    const adamw = await AdamW.create({
      segments,
      size,
      betas: [0.9, 0.999],
      epsilon,
      weightDecay,
      biasCorrection,
    });
    fill(adamw.parameters, segments, parameter);
    const wanted: Record<string, number[]> = expected.parameters;
    let compared = 0;
    for (let step = 0; step < totalSteps; step++) {
      const learningRate = learningRateAt(step, { peak, totalSteps, warmupSteps });
      expect(learningRate).toBeCloseTo(expected.learningRates[step] ?? Number.NaN, 15);
      fill(adamw.gradients, segments, (i) => gradient(step, i));
      const { gradientNorm } = adamw.step({ learningRate, clipNorm });
      const norm = expected.norms[step] ?? Number.NaN;
      // PyTorch adds the norm's squares in f32: a relative error of 1e-6 is its own.
      expect(Math.abs(gradientNorm - norm) / norm).toBeLessThan(1e-6);
      const parameters = wanted[step + 1];
      if (parameters === undefined) continue;
      // Parameters are up to 0.4: a rounding is 3e-8, and 20 steps of a few roundings each stay below this.
      expect(largestDifference(gather(adamw.parameters, segments), parameters)).toBeLessThan(4e-7);
      compared += 1;
    }
    expect(compared).toBe(5);
    expect(expected.norms.filter((norm) => norm > clipNorm).length).toBeGreaterThan(5);
  });
});

describe('AdamW against the float64 oracle', () => {
  it.each([
    { biasCorrection: true, clipNorm: 0.5 },
    { biasCorrection: false, clipNorm: 0 },
  ])('segments of every tail length, %o', async ({ biasCorrection, clipNorm }) => {
    const { segments, size } = layout([1, 2, 3, 4, 5, 17, 65, 1000]);
    const random = new Random(5, 'test');
    const adamw = await AdamW.create({ ...DEFAULTS, segments, size, biasCorrection });
    fill(adamw.parameters, segments, () => random.truncatedNormal(0.1));
    const oracle = referenceState(gather(adamw.parameters, segments));
    const weightDecay = segments.flatMap(({ length, decay }) =>
      new Array<number>(length).fill(decay ? 0.01 : 0),
    );
    for (let step = 0; step < 10; step++) {
      fill(adamw.gradients, segments, () => random.truncatedNormal(1));
      const gradients = gather(adamw.gradients, segments);
      const { gradientNorm } = adamw.step({ learningRate: 0.01, clipNorm });
      const norm = referenceAdamW(oracle, gradients, {
        ...BERT_ADAMW,
        learningRate: 0.01,
        clipNorm,
        weightDecay,
        biasCorrection,
      });
      expect(Math.abs(gradientNorm - norm) / norm).toBeLessThan(1e-14);
    }
    expect(largestDifference(gather(adamw.parameters, segments), oracle.parameters)).toBeLessThan(2e-7);
    expect(adamw.steps).toBe(10);
  });

  it('decays at the rate asked for, with no bias from rounding 1 − lr·weightDecay', async () => {
    const { segments, size } = layout([4096]);
    const adamw = await AdamW.create({ ...DEFAULTS, segments, size, weightDecay: 0.01 });
    const random = new Random(1, 'test');
    // Spread over a binade, so that the roundings of the parameters themselves average out.
    fill(adamw.parameters, segments, () => 1 + random.uniform());
    const sumOfParameters = () => gather(adamw.parameters, segments).reduce((a, b) => a + b, 0);
    const before = sumOfParameters();
    // 10.5 · 2^-24: as 1 − rate it would round to 10 or 11 units, 5% off.
    const rate = 10.5 * 2 ** -24;
    const steps = 200;
    for (let step = 0; step < steps; step++) adamw.step({ learningRate: rate / 0.01, clipNorm: 1 });
    const found = Math.log(before / sumOfParameters()) / steps;
    expect(Math.abs(found / rate - 1)).toBeLessThan(0.01);
  });

  it('adds the squares of a million gradients without losing the small ones', async () => {
    const size = 2 ** 20;
    const adamw = await AdamW.create({
      ...DEFAULTS,
      segments: [{ offset: 0, length: size, decay: true }],
      size,
    });
    adamw.gradients.fill(1e-3);
    adamw.gradients[0] = 1e3;
    const tiny = Math.fround(1e-3);
    const exact = Math.sqrt(1e6 + (size - 1) * tiny * tiny);
    const { gradientNorm } = adamw.step({ learningRate: 0, clipNorm: 1 });
    expect(Math.abs(gradientNorm / exact - 1)).toBeLessThan(1e-12);
  });
});

describe('AdamW', () => {
  it('never touches the padding, whatever lies in it', async () => {
    const { segments, size } = layout([3, 65]);
    const adamw = await AdamW.create({ ...DEFAULTS, segments, size });
    adamw.gradients.fill(Number.NaN);
    fill(adamw.gradients, segments, () => 0.1);
    const { gradientNorm } = adamw.step({ learningRate: 0.1, clipNorm: 1 });
    expect(gradientNorm).toBeCloseTo(Math.sqrt(68 * 0.01), 6);
    const inside = new Set(
      segments.flatMap(({ offset, length }) => Array.from({ length }, (_, i) => offset + i)),
    );
    adamw.parameters.forEach((value, i) => {
      if (inside.has(i)) expect(value).not.toBe(0);
      else expect(value).toBe(0);
    });
  });

  it.each([
    { value: Number.NaN, at: 0 },
    { value: Infinity, at: 40 },
    { value: -Infinity, at: 66 },
  ])('shows a gradient of $value at $at by its norm, and changes nothing', async ({ value, at }) => {
    const { segments, size } = layout([67]);
    const adamw = await AdamW.create({ ...DEFAULTS, segments, size });
    adamw.parameters.fill(0.5);
    adamw.gradients.fill(0.1);
    adamw.step({ learningRate: 0.1, clipNorm: 1 });
    const parameters = Array.from(adamw.parameters);
    const state = adamw.state();
    adamw.gradients[at] = value;
    const { gradientNorm } = adamw.step({ learningRate: 0.1, clipNorm: 1 });
    expect(Number.isFinite(gradientNorm)).toBe(false);
    expect(Array.from(adamw.parameters)).toEqual(parameters);
    expect(adamw.state()).toEqual(state);
  });

  it('has a finite norm for gradients whose squares overflow f32', async () => {
    const { segments, size } = layout([9]);
    const adamw = await AdamW.create({ ...DEFAULTS, segments, size });
    adamw.gradients.fill(1e38);
    const { gradientNorm } = adamw.step({ learningRate: 0.1, clipNorm: 1 });
    expect(gradientNorm / 3e38).toBeCloseTo(1, 6);
    expect(gather(adamw.parameters, segments).every(Number.isFinite)).toBe(true);
  });

  it('gives the same bits for the same gradients', async () => {
    const run = async () => {
      const { segments, size } = layout([129, 7]);
      const adamw = await AdamW.create({ ...DEFAULTS, segments, size });
      const random = new Random(3, 'test');
      for (let step = 0; step < 5; step++) {
        fill(adamw.gradients, segments, () => random.truncatedNormal(1));
        adamw.step({ learningRate: 0.1, clipNorm: 1 });
      }
      return [Array.from(adamw.parameters), adamw.state()];
    };
    expect(await run()).toEqual(await run());
  });

  it('keeps its arenas apart and its views alive when they are large', async () => {
    const size = 300_000;
    const adamw = await AdamW.create({
      ...DEFAULTS,
      segments: [{ offset: 0, length: size, decay: false }],
      size,
    });
    expect(adamw.parameters.length).toBe(size);
    adamw.parameters.fill(1);
    adamw.gradients.fill(2);
    expect(adamw.parameters.every((value) => value === 1)).toBe(true);
    adamw.step({ learningRate: 0, clipNorm: 0 });
    expect(adamw.parameters.every((value) => value === 1)).toBe(true);
    expect(adamw.gradients.every((value) => value === 2)).toBe(true);
    expect(adamw.parameters).toBe(adamw.parameters);
  });

  it.each<[string, Partial<AdamWOptions>]>([
    ['size', { size: 0 }],
    ['size', { size: 2 ** 28 }],
    ['segments', { segments: [{ offset: 120, length: 9, decay: true }] }],
    ['segments', { segments: [{ offset: -4, length: 9, decay: true }] }],
    ['segments', { segments: [{ offset: 0, length: 0, decay: true }] }],
    [
      'segments',
      {
        segments: [
          { offset: 10, length: 10, decay: true },
          { offset: 0, length: 11, decay: true },
        ],
      },
    ],
    ['betas', { betas: [0.9, 1] }],
    ['betas', { betas: [Number.NaN, 0.999] }],
    ['epsilon', { epsilon: 0 }],
    ['weightDecay', { weightDecay: -0.01 }],
  ])('refuses a wrong %s: %o', async (option, wrong) => {
    const creation = AdamW.create({ ...DEFAULTS, ...layout([10]), size: 128, ...wrong });
    await expect(creation).rejects.toThrow(OptionError);
    await expect(creation).rejects.toMatchObject({ option });
  });

  it.each([
    { learningRate: Number.NaN, clipNorm: 1 },
    { learningRate: -1, clipNorm: 1 },
    { learningRate: 1, clipNorm: Number.NaN },
    { learningRate: 1, clipNorm: -1 },
  ])('refuses to step with %o', async (step) => {
    const adamw = await AdamW.create({ ...DEFAULTS, ...layout([10]) });
    expect(() => adamw.step(step)).toThrow(OptionError);
  });
});

describe('the state of AdamW', () => {
  const { segments, size } = layout([70, 5]);

  async function trained(steps: number): Promise<AdamW> {
    const adamw = await AdamW.create({ ...DEFAULTS, segments, size, biasCorrection: true });
    for (let step = 0; step < steps; step++) advance(adamw, step);
    return adamw;
  }

  function advance(adamw: AdamW, step: number): void {
    const random = new Random(9, 'gradients', step);
    fill(adamw.gradients, segments, () => random.truncatedNormal(1));
    adamw.step({ learningRate: 0.01, clipNorm: 1 });
  }

  it('resumes to the same bytes', async () => {
    const alone = await trained(9);
    const interrupted = await trained(4);
    const resumed = await trained(0);
    // Another place in a larger buffer, as when it is cut out of a file.
    const state = interrupted.state();
    const file = new Uint8Array(state.length + 7);
    file.set(state, 3);
    resumed.restore(file.subarray(3, 3 + state.length));
    resumed.parameters.set(interrupted.parameters);
    for (let step = 4; step < 9; step++) advance(resumed, step);
    expect(resumed.steps).toBe(9);
    expect(Array.from(resumed.parameters)).toEqual(Array.from(alone.parameters));
    expect(resumed.state()).toEqual(alone.state());
  });

  it('is a copy', async () => {
    const adamw = await trained(2);
    const state = adamw.state();
    const copy = state.slice();
    advance(adamw, 2);
    expect(state).toEqual(copy);
  });

  const word = (at: number, value: number) => (state: Uint8Array) => {
    new DataView(state.buffer).setUint32(at, value, true);
    return state;
  };
  const NAN_BITS = 0x7fc00000;
  const MINUS_ONE_BITS = 0xbf800000;
  it.each<[string, (state: Uint8Array) => Uint8Array, RegExp]>([
    ['empty', () => new Uint8Array(0), /0 bytes are less than its header/],
    ['of another kind', (state) => state.fill(32, 0, 8), /byte 0: does not begin/],
    ['of a later release', word(8, 2), /byte 8: version 2/],
    ['of another size', word(12, size + 64), /byte 12: made for 256 trainable parameters, not for 192/],
    ['of other tensors', word(16, 1), /byte 16/],
    ['cut short', (state) => state.subarray(0, state.length - 1), /1559 bytes, not 1560/],
    ['too long', (state) => new Uint8Array([...state, 0]), /1561 bytes, not 1560/],
    ['with NaN for a first moment', word(24 + 4 * 3, NAN_BITS), /byte 36: NaN cannot be a first moment/],
    ['with a negative second moment', word(24 + 4 * size, MINUS_ONE_BITS), /byte 792: -1 cannot be a second/],
  ])('is refused when %s, and nothing changes', async (_, damage, message) => {
    const adamw = await trained(3);
    const before = adamw.state();
    const restore = () => adamw.restore(damage(adamw.state()));
    expect(restore).toThrow(FileFormatError);
    expect(restore).toThrow(message);
    expect(adamw.state()).toEqual(before);
  });

  it('tells tensors of the same total size apart', async () => {
    const other = await AdamW.create({ ...DEFAULTS, ...layout([70, 6]) });
    const adamw = await trained(1);
    expect(() => other.restore(adamw.state())).toThrow(/other trainable tensors/);
  });
});
