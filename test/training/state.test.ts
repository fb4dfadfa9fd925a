import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileFormatError, OptionError } from '../../src/errors';
import {
  decodeState,
  encodeState,
  requireEqualConditions,
  type TrainingState,
} from '../../src/training/state';

const state: TrainingState = {
  conditions: { epochs: 3, train: '640 examples' },
  progress: {
    step: 130,
    epoch: 1,
    stepInEpoch: 50,
    epochLoss: 12.25,
    epochExamples: 400,
    bestScore: 0.75,
    bestEpoch: 1,
  },
  parameters: Float32Array.from([1, -2.5, 3]),
  best: Float32Array.from([1, 2, 3]),
  optimizer: Uint8Array.from([1, 2, 3, 4, 5]),
};

describe('a training state', () => {
  it('comes back as it was, also from a Buffer at an odd offset', () => {
    const bytes = encodeState(state);
    expect(decodeState(bytes)).toEqual(state);
    const shifted = Buffer.concat([Buffer.from([0]), bytes]).subarray(1);
    expect(decodeState(shifted)).toEqual(state);
  });

  it('damaged anywhere, is a FileFormatError or a sound state, never anything else', () => {
    const bytes = encodeState(state);
    let refused = 0;
    fc.assert(
      fc.property(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 0, max: 255 }),
        fc.nat(bytes.length),
        (at, value, end) => {
          const damaged = bytes.slice(0, end);
          if (at < end) damaged[at] = value;
          try {
            const { parameters, best } = decodeState(damaged);
            expect([...parameters, ...best].every(Number.isFinite)).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(FileFormatError);
            refused += 1;
          }
        },
      ),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(1000);
  });

  it('of other conditions is refused by name', () => {
    expect(() => requireEqualConditions(state.conditions, { ...state.conditions, epochs: 4 })).toThrow(
      new OptionError(
        'epochs',
        'the run was begun with 3, now it is 4',
        'Resume with what the run began with, or start a new one',
      ),
    );
    expect(() => requireEqualConditions(state.conditions, { epochs: 3 })).toThrow('train: ');
    requireEqualConditions(state.conditions, { ...state.conditions });
  });
});
