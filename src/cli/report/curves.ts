import type { TrainingReport } from '../../index';

/** More points than a wide screen has pixels are only weight. */
const MOST_POINTS = 2000;

/** What the page draws: columns of equal length for each chart. `null` is a gap. */
export interface Curves {
  readonly steps: readonly number[];
  readonly loss: readonly number[];
  readonly smoothedLoss: readonly number[];
  readonly learningRate: readonly number[];
  /** Steps that one point of the loss stands for: it is their mean. */
  readonly stepsPerPoint: number;
  readonly epochs: readonly number[];
  readonly dev: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
}

/** Metrics drawn for each epoch; those that are in [-1, 1], so that they share an axis. */
const DEV_CURVES = [
  ['accuracy', 'Accuracy'],
  ['f1', 'F1'],
  ['matthews', 'Matthews'],
  ['microF1', 'Micro F1'],
  ['macroF1', 'Macro F1'],
  ['exactMatch', 'Exact match'],
  ['pearson', 'Pearson'],
  ['spearman', 'Spearman'],
] as const;

export function curvesOf(reports: readonly TrainingReport[]): Curves {
  const steps = reports.filter((report) => report.type === 'step');
  const epochs = reports.filter((report) => report.type === 'epoch').filter(({ dev }) => dev !== undefined);
  const stepsPerPoint = Math.max(1, Math.ceil(steps.length / MOST_POINTS));
  const smoothed = smooth(
    steps.map(({ loss }) => loss),
    Math.max(5, steps.length / 50),
  );
  const thin = (values: readonly number[]) => bucketMeans(values, stepsPerPoint);
  const devCurves = DEV_CURVES.map(([key, name]) => ({
    name,
    values: epochs.map((epoch) => metric(epoch, key)),
  }));
  return {
    steps: lastOfBuckets(
      steps.map(({ step }) => step),
      stepsPerPoint,
    ),
    loss: thin(steps.map(({ loss }) => loss)),
    smoothedLoss: lastOfBuckets(smoothed, stepsPerPoint),
    learningRate: thin(steps.map(({ learningRate }) => learningRate)),
    stepsPerPoint,
    epochs: epochs.map(({ epoch }) => epoch),
    dev: devCurves.filter(({ values }) => values.some((value) => value !== null)),
  };
}

/** A number of an epoch's dev metrics; a gap where it is none. */
function metric(report: TrainingReport, key: (typeof DEV_CURVES)[number][0]): number | null {
  if (report.type !== 'epoch' || report.dev === undefined) return null;
  const value = new Map<string, unknown>(Object.entries(report.dev)).get(key);
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/**
 * Exponential moving average that remembers about `window` values. It is divided by the sum of its weights, so that the
 * first values are not drawn towards zero.
 */
export function smooth(values: readonly number[], window: number): number[] {
  const memory = 1 - 1 / Math.max(1, window);
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    sum = memory * sum + (1 - memory) * value;
    weight = memory * weight + (1 - memory);
    return sum / weight;
  });
}

function bucketMeans(values: readonly number[], size: number): number[] {
  return buckets(values, size).map((bucket) => bucket.reduce((a, b) => a + b, 0) / bucket.length);
}

function lastOfBuckets(values: readonly number[], size: number): number[] {
  return buckets(values, size).flatMap((bucket) => bucket.slice(-1));
}

function buckets(values: readonly number[], size: number): number[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, i) =>
    values.slice(i * size, (i + 1) * size),
  );
}
