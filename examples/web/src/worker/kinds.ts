/** The library has more kinds of tasks than the application: what comes of them is refused at its border. */
import {
  type ClassificationMetrics,
  type ClassificationPrediction,
  type Metrics,
  type Prediction,
  type RegressionMetrics,
  type RegressionPrediction,
  type Task,
  UnsupportedModelError,
} from 'graft-ml';
import type { TaskKind } from '../engine';

/** Throws UnsupportedModelError for a kind that only the library has. */
export function requireKnownKind(kind: Task['kind']): TaskKind {
  if (kind === 'classification' || kind === 'regression') return kind;
  throw new UnsupportedModelError(
    `the adapter is of a ${kind} task, which this application does not have`,
    'Use it with the graft command or the library',
  );
}

/** Throws TypeError for another kind's: tasks of others are refused before they predict. */
export function requireKnownPrediction(
  prediction: Prediction,
): ClassificationPrediction | RegressionPrediction {
  if ('label' in prediction || 'value' in prediction) return prediction;
  throw new TypeError('a prediction of an unknown kind');
}

/** Throws TypeError for another kind's. */
export function requireKnownMetrics(metrics: Metrics): ClassificationMetrics | RegressionMetrics {
  if ('accuracy' in metrics || 'pearson' in metrics) return metrics;
  throw new TypeError('metrics of an unknown kind');
}

/** The number that stands for a task's quality. */
export function scoreOf(metrics: ClassificationMetrics | RegressionMetrics): number {
  return 'accuracy' in metrics ? metrics.accuracy : metrics.pearson;
}
