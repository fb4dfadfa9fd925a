import type { StepReport } from 'graft-ml';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CurveRecorder, NO_CURVES } from '../../../examples/web/src/worker/curves';
import { Meter } from '../../../examples/web/src/worker/meter';

describe('a recorder of curves', () => {
  it('thins a long curve by means of neighbours, also when it goes on with an earlier one', () => {
    const whole = new CurveRecorder(NO_CURVES);
    let resumed = new CurveRecorder(NO_CURVES);
    for (let step = 1; step <= 6000; step++) {
      const loss = step % 2 === 0 ? 2 : 1;
      whole.addLoss(step, loss);
      resumed.addLoss(step, loss);
      // Where no point is half done.
      if (step === 4004) resumed = new CurveRecorder(resumed.curves);
    }
    const { loss } = whole.curves;
    expect(loss.length).toBeLessThan(2000);
    expect(loss.length).toBeGreaterThan(1000);
    expect(loss.every((point) => point.loss === 1.5)).toBe(true);
    expect(loss.at(-1)?.step).toBe(6000);
    expect(resumed.curves).toEqual(whole.curves);
  });

  it('forgets what is done again', () => {
    const recorder = new CurveRecorder({
      loss: [1, 2, 3].map((step) => ({ step, loss: step })),
      dev: [{ step: 3, epoch: 1, score: 0.5 }],
    });
    recorder.rewind(2);
    recorder.addLoss(3, 9);
    expect(recorder.curves).toEqual({
      loss: [
        { step: 1, loss: 1 },
        { step: 2, loss: 2 },
        { step: 3, loss: 9 },
      ],
      dev: [],
    });
  });
});

describe('a meter', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const report = (step: number, epoch: number): StepReport => ({
    type: 'step',
    step,
    totalSteps: 40,
    epoch,
    loss: 1,
    learningRate: 1e-3,
    gradientNorm: 1,
    examplesPerSecond: 5,
    tokensPerSecond: 50,
    timings: { encode: 0, device: 0, readBack: 0, optimizer: 0, upload: 0 },
  });

  it('estimates what is left from the usual step, evaluations counted', () => {
    const meter = new Meter({ epochs: 4, examples: 100, batchSize: 10 }, 0);
    meter.enter('training');
    for (let step = 1; step <= 10; step++) {
      // A laptop that slept for an hour.
      vi.advanceTimersByTime(step === 5 ? 3_600_000 : 100);
      meter.step(report(step, 1));
    }
    expect(meter.progress).toMatchObject({ phase: 'evaluating', step: 10, totalSteps: 40, epoch: 1 });
    expect(meter.progress.secondsLeft).toBeCloseTo(3, 6);
    vi.advanceTimersByTime(500);
    meter.evaluated();
    expect(meter.progress.phase).toBe('training');
    vi.advanceTimersByTime(100);
    // 29 steps of 0.1 s and three evaluations of 0.5 s.
    expect(meter.step(report(11, 2)).secondsLeft).toBeCloseTo(2.9 + 1.5, 6);
    expect(meter.enter('comparing').secondsLeft).toBeUndefined();
  });

  it('begins where the run stands', () => {
    const { progress } = new Meter({ epochs: 4, examples: 95, batchSize: 10 }, 25);
    expect(progress).toMatchObject({ phase: 'preparing', step: 25, totalSteps: 40, epoch: 3 });
  });
});
