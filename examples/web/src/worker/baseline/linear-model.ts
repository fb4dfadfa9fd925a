import type { Breather } from '../breather';
import { minimize, type Objective } from './lbfgs';

/** Rows of equal length; all arithmetic is in float64. */
export type Features = readonly ArrayLike<number>[];

/** What is to be predicted. */
export type Targets =
  /** Numbers of classes, below `classes`. */
  | { readonly kind: 'classes'; readonly classes: number; readonly values: readonly number[] }
  | { readonly kind: 'numbers'; readonly values: readonly number[] };

export interface FitOptions {
  /** λ. */
  readonly penalty: number;
  readonly breather: Breather;
  readonly gradientTolerance?: number | undefined;
}

/** A linear function of features: scores of classes, or one number. */
export interface LinearModel {
  /** `[outputs]` of one row: logits, or the predicted number. */
  predict(row: ArrayLike<number>): Float64Array;
}

/**
 * Multinomial logistic regression, or ridge regression, on standardized features: minimizes
 *   (1/n) Σ loss(xᵢ W + b, yᵢ) + (λ/2) ‖W‖²
 * with cross-entropy, or half the squared error of standardized targets. b is not penalized. In scikit-learn's terms
 * LogisticRegression's C is 1 / (λ n), Ridge's alpha λ n.
 */
export async function fitLinearModel(
  features: Features,
  targets: Targets,
  { penalty, breather, gradientTolerance }: FitOptions,
): Promise<LinearModel> {
  const scaler = new Standardizer(features);
  const rows = features.map((row) => scaler.apply(row));
  const width = scaler.width;
  const target = targets.kind === 'numbers' ? standardize(targets.values) : { mean: 0, deviation: 1 };
  const outputs = targets.kind === 'classes' ? targets.classes : 1;
  const wanted = targets.values.map((value) =>
    targets.kind === 'classes' ? value : (value - target.mean) / target.deviation,
  );
  const objective = objectiveOf(rows, wanted, { kind: targets.kind, outputs, width, penalty });
  const start = new Float64Array(outputs * (width + 1));
  const parameters = await minimize(objective, start, { breather, gradientTolerance });
  return {
    predict: (row) =>
      scoresOf(parameters, scaler.apply(row), outputs, width).map(
        (score) => score * target.deviation + target.mean,
      ),
  };
}

interface Shape {
  readonly kind: Targets['kind'];
  readonly outputs: number;
  readonly width: number;
  readonly penalty: number;
}

/** Parameters lie as `outputs` rows of `width` weights and a bias. */
export function objectiveOf(
  rows: readonly Float64Array[],
  wanted: readonly number[],
  { kind, outputs, width, penalty }: Shape,
): Objective {
  const stride = width + 1;
  return (parameters, gradient) => {
    gradient.fill(0);
    let loss = 0;
    rows.forEach((row, index) => {
      const errors = scoresOf(parameters, row, outputs, width);
      loss +=
        kind === 'classes'
          ? crossEntropy(errors, wanted[index] ?? 0)
          : squaredError(errors, wanted[index] ?? 0);
      for (let output = 0; output < outputs; output++) {
        const error = (errors[output] ?? 0) / rows.length;
        const offset = output * stride;
        for (let i = 0; i < width; i++)
          gradient[offset + i] = (gradient[offset + i] ?? 0) + error * (row[i] ?? 0);
        gradient[offset + width] = (gradient[offset + width] ?? 0) + error;
      }
    });
    let squares = 0;
    for (let output = 0; output < outputs; output++) {
      for (let i = output * stride; i < output * stride + width; i++) {
        const weight = parameters[i] ?? 0;
        squares += weight * weight;
        gradient[i] = (gradient[i] ?? 0) + penalty * weight;
      }
    }
    return loss / rows.length + (penalty / 2) * squares;
  };
}

/** The loss; turns logits into its derivatives by them: softmax − one-hot. */
function crossEntropy(logits: Float64Array, wanted: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const logit of logits) most = Math.max(most, logit);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - most);
  const loss = most + Math.log(sum) - (logits[wanted] ?? 0);
  for (let i = 0; i < logits.length; i++) {
    logits[i] = Math.exp((logits[i] ?? 0) - most) / sum - (i === wanted ? 1 : 0);
  }
  return loss;
}

/** Half the square; turns the prediction into its error. */
function squaredError(predicted: Float64Array, wanted: number): number {
  const error = (predicted[0] ?? 0) - wanted;
  predicted[0] = error;
  return (error * error) / 2;
}

function scoresOf(parameters: Float64Array, row: Float64Array, outputs: number, width: number): Float64Array {
  const scores = new Float64Array(outputs);
  for (let output = 0; output < outputs; output++) {
    const offset = output * (width + 1);
    let sum = parameters[offset + width] ?? 0;
    for (let i = 0; i < width; i++) sum += (parameters[offset + i] ?? 0) * (row[i] ?? 0);
    scores[output] = sum;
  }
  return scores;
}

/** Mean 0 and deviation 1 in every column of the rows that it was made from; a constant column becomes 0. */
class Standardizer {
  readonly width: number;
  readonly #means: Float64Array;
  readonly #deviations: Float64Array;

  constructor(rows: Features) {
    this.width = rows[0]?.length ?? 0;
    const columns = Array.from({ length: this.width }, (_, column) =>
      standardize(rows.map((row) => row[column] ?? 0)),
    );
    this.#means = Float64Array.from(columns, ({ mean }) => mean);
    this.#deviations = Float64Array.from(columns, ({ deviation }) => deviation);
  }

  apply(row: ArrayLike<number>): Float64Array<ArrayBuffer> {
    return Float64Array.from(
      { length: this.width },
      (_, i) => ((row[i] ?? 0) - (this.#means[i] ?? 0)) / (this.#deviations[i] ?? 1),
    );
  }
}

/** Population mean and deviation; the deviation of equal numbers counts as 1. */
function standardize(values: readonly number[]): { readonly mean: number; readonly deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const deviation = Math.sqrt(variance);
  // Rounding gives equal numbers a tiny one.
  return { mean, deviation: deviation > 1e-9 * Math.max(1, Math.abs(mean)) ? deviation : 1 };
}
