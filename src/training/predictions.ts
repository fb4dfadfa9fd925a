import { classificationMetrics, regressionMetrics } from './metrics';
import type { TaskSpec } from './task-spec';
import type { Metrics, Prediction } from './types';

/** Probabilities of one row of logits; in float64, the maximum subtracted. */
export function softmax(logits: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(logits);
  const largest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = values.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** Predictions from logits `[examples, C]`. */
export function predictionsOf(spec: TaskSpec, logits: Float32Array): Prediction[] {
  return rowsOf(logits, spec.outputs).map((row): Prediction => {
    if (spec.kind === 'regression') return { value: row[0] ?? Number.NaN };
    const probabilities = softmax(row);
    const best = argmax(row);
    return {
      label: spec.labels[best] ?? '',
      score: probabilities[best] ?? Number.NaN,
      scores: Object.fromEntries(spec.labels.map((label, i) => [label, probabilities[i] ?? Number.NaN])),
    };
  });
}

/** Metrics of logits `[examples, C]` against class numbers or target values; the loss is training's, without dropout. */
export function metricsOf(spec: TaskSpec, logits: Float32Array, actual: readonly number[]): Metrics {
  const rows = rowsOf(logits, spec.outputs);
  if (spec.kind === 'regression') {
    const predicted = rows.map((row) => row[0] ?? Number.NaN);
    const loss = mean(predicted.map((value, i) => (value - (actual[i] ?? Number.NaN)) ** 2));
    return regressionMetrics({ actual, predicted, loss });
  }
  const loss = mean(rows.map((row, i) => -Math.log(softmax(row)[actual[i] ?? 0] ?? Number.NaN)));
  return classificationMetrics({ actual, predicted: rows.map(argmax), labelCount: spec.labels.length, loss });
}

/** The number that decides which epoch is best: accuracy, or Pearson's correlation. */
export function scoreOf(metrics: Metrics): number {
  return 'accuracy' in metrics ? metrics.accuracy : metrics.pearson;
}

function rowsOf(values: Float32Array, columns: number): Float32Array[] {
  return Array.from({ length: values.length / columns }, (_, row) =>
    values.subarray(row * columns, (row + 1) * columns),
  );
}

function argmax(row: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) {
    if ((row[i] ?? Number.NaN) > (row[best] ?? Number.NaN)) best = i;
  }
  return best;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
