import { DataError } from '../errors';
import type { ClassificationMetrics, RegressionMetrics } from './types';

export interface ClassificationOutcome {
  /** The right class of every example, as its number. */
  readonly actual: ArrayLike<number>;
  /** The predicted class of every example. */
  readonly predicted: ArrayLike<number>;
  readonly labelCount: number;
  /** Mean over the examples. */
  readonly loss: number;
}

/**
 * Accuracy, F1, Matthews and the confusion matrix.
 * @throws DataError for no examples
 */
export function classificationMetrics(outcome: ClassificationOutcome): ClassificationMetrics {
  const { actual, predicted, labelCount, loss } = outcome;
  const examples = requireExamples(actual);
  const confusion = Array.from({ length: labelCount }, () => new Array<number>(labelCount).fill(0));
  for (let i = 0; i < examples; i++) {
    const row = confusion[actual[i] ?? -1];
    const column = predicted[i] ?? -1;
    if (row?.[column] === undefined) {
      throw new DataError(undefined, undefined, `class ${actual[i]} or ${column} is not below ${labelCount}`);
    }
    row[column] += 1;
  }
  const perClass = confusion.map((row, label) => ({
    hits: row[label] ?? 0,
    actual: sum(row),
    predicted: sum(confusion.map((other) => other[label] ?? 0)),
  }));
  const hits = sum(perClass.map((counts) => counts.hits));
  const scores = perClass.map(f1);
  return {
    accuracy: hits / examples,
    f1: labelCount === 2 ? (scores[1] ?? 0) : sum(scores) / labelCount,
    matthews: matthews(perClass, hits, examples),
    confusion,
    loss,
    examples,
  };
}

interface ClassCounts {
  /** Examples of the class that were predicted as it. */
  readonly hits: number;
  /** Examples of the class. */
  readonly actual: number;
  /** Examples predicted as the class. */
  readonly predicted: number;
}

/** 2·hits / (predicted + actual); 0 for a class that neither occurs nor is predicted (scikit-learn's zero_division=0). */
function f1({ hits, actual, predicted }: ClassCounts): number {
  return hits === 0 ? 0 : (2 * hits) / (predicted + actual);
}

/**
 * Matthews' correlation for any number of classes (Gorodkin 2004, "Comparing two K-category assignments"):
 * (n·hits − Σ aₖ·pₖ) / √((n² − Σ pₖ²)(n² − Σ aₖ²)). 0 when all predictions, or all labels, are one class, where the
 * formula is 0/0: so do scikit-learn and with it GLUE's CoLA score. The counts are exact up to 90 million examples.
 */
function matthews(perClass: readonly ClassCounts[], hits: number, examples: number): number {
  const squared = examples * examples;
  const both = sum(perClass.map((counts) => counts.actual * counts.predicted));
  const spreadPredicted = squared - sum(perClass.map((counts) => counts.predicted ** 2));
  const spreadActual = squared - sum(perClass.map((counts) => counts.actual ** 2));
  if (spreadPredicted === 0 || spreadActual === 0) return 0;
  return (examples * hits - both) / (Math.sqrt(spreadPredicted) * Math.sqrt(spreadActual));
}

export interface RegressionOutcome {
  readonly actual: ArrayLike<number>;
  readonly predicted: ArrayLike<number>;
  /** Mean over the examples. */
  readonly loss: number;
}

/**
 * Pearson, Spearman (ties get their average rank) and the mean squared error. A constant list of predictions or of
 * labels has no correlation (scipy gives NaN): it counts as 0 here, as a model that learnt nothing, so that it can be
 * compared with other epochs and written as JSON.
 * @throws DataError for no examples
 */
export function regressionMetrics({ actual, predicted, loss }: RegressionOutcome): RegressionMetrics {
  const examples = requireExamples(actual);
  const x = Array.from(actual);
  const y = Array.from(predicted);
  return {
    pearson: pearson(x, y),
    spearman: pearson(ranks(x), ranks(y)),
    meanSquaredError: sum(x.map((value, i) => (value - (y[i] ?? Number.NaN)) ** 2)) / examples,
    loss,
    examples,
  };
}

/** Means first, then centred products: one pass over raw sums would cancel. */
function pearson(x: readonly number[], y: readonly number[]): number {
  // Compared, not computed: the mean of equal numbers need not be that number, and its rounding error would correlate.
  if (x.every((value) => value === x[0]) || y.every((value) => value === y[0])) return 0;
  const meanX = sum(x) / x.length;
  const meanY = sum(y) / y.length;
  let products = 0;
  let squaresX = 0;
  let squaresY = 0;
  for (let i = 0; i < x.length; i++) {
    const centredX = (x[i] ?? Number.NaN) - meanX;
    const centredY = (y[i] ?? Number.NaN) - meanY;
    products += centredX * centredY;
    squaresX += centredX * centredX;
    squaresY += centredY * centredY;
  }
  const correlation = products / (Math.sqrt(squaresX) * Math.sqrt(squaresY));
  return Math.max(-1, Math.min(1, correlation));
}

/** The rank of every value, from 1; equal values share the mean of the ranks they take up. */
function ranks(values: readonly number[]): number[] {
  const sorted = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const result = new Array<number>(values.length).fill(0);
  for (let start = 0; start < sorted.length; ) {
    let end = start + 1;
    while (end < sorted.length && sorted[end]?.value === sorted[start]?.value) end += 1;
    for (const { index } of sorted.slice(start, end)) result[index] = (start + 1 + end) / 2;
    start = end;
  }
  return result;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function requireExamples(actual: ArrayLike<number>): number {
  if (actual.length === 0) throw new DataError(undefined, undefined, 'there are no examples to score');
  return actual.length;
}
