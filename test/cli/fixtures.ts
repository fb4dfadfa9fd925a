import type { DoneReport, EpochReport, StepReport, TrainingReport } from '../../src/index';

/** Reports as a trainer would give them; what a test cares about is handed in. */
export function step(number: number, more: Partial<StepReport> = {}): StepReport {
  return {
    type: 'step',
    step: number,
    totalSteps: 375,
    epoch: 1,
    loss: 0.5,
    learningRate: 1e-4,
    gradientNorm: 1,
    examplesPerSecond: 50,
    tokensPerSecond: 900,
    timings: { encode: 1, device: 600, readBack: 1, optimizer: 1, upload: 1 },
    ...more,
  };
}

export function epoch(number: number, more: Partial<EpochReport> = {}): EpochReport {
  return {
    type: 'epoch',
    epoch: number,
    step: 125 * number,
    trainLoss: 0.4,
    dev: undefined,
    best: true,
    ...more,
  };
}

export function done(more: Partial<DoneReport> = {}): DoneReport {
  return {
    type: 'done',
    backend: 'webgpu',
    device: 'software device',
    dev: undefined,
    bestEpoch: 1,
    trainableParameters: 646_274,
    backboneParameters: 22_713_216,
    trainedShare: 646_274 / 22_713_216,
    steps: 375,
    examplesPerSecond: 48.21,
    tokensPerSecond: 911,
    peakDeviceBytes: 212 * 2 ** 20,
    activationBytes: 94 * 2 ** 20,
    seconds: 251,
    truncatedExamples: 12,
    ...more,
  };
}

/** A run of three epochs whose loss falls, with noise that is the same every time. */
export function run(labels: readonly string[], steps = 375): TrainingReport[] {
  const reports: TrainingReport[] = [];
  const perEpoch = Math.ceil(steps / 3);
  for (let number = 1; number <= steps; number++) {
    const noise = 0.12 * Math.sin(number * 12.9898) * Math.cos(number * 78.233);
    const loss = 0.22 + 0.5 * Math.exp((-5 * number) / steps) + noise;
    const warm = Math.min(number / (0.1 * steps), (steps - number) / (0.9 * steps));
    const current = Math.ceil(number / perEpoch);
    reports.push(step(number, { totalSteps: steps, epoch: current, loss, learningRate: 3e-4 * warm }));
    if (number % perEpoch === 0 || number === steps) {
      const dev = classification(labels, 0.78 + 0.04 * current);
      reports.push(epoch(current, { step: number, trainLoss: loss, dev }));
    }
  }
  reports.push(done({ steps, dev: classification(labels, 0.9), bestEpoch: 3 }));
  return reports;
}

function classification(labels: readonly string[], accuracy: number) {
  const confusion = labels.map((_, actual) =>
    labels.map((_, predicted) => {
      if (actual === predicted) return Math.round(400 * accuracy);
      return Math.round(
        (400 * (1 - accuracy) * (1 + ((actual * 7 + predicted * 3) % 5))) / labels.length / 3,
      );
    }),
  );
  return {
    accuracy,
    f1: accuracy - 0.01,
    matthews: 2 * accuracy - 1,
    confusion,
    loss: 1 - accuracy,
    examples: 872,
  };
}
