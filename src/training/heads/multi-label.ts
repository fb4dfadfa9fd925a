import { OptionError } from '../../errors';
import { binaryCrossEntropy } from '../../ops/binary_cross_entropy';
import { multiLabelMetrics } from '../multi-label-metrics';
import { classWeights } from './class-weights';
import type { Head } from './head';
import { listLabels, requireDistinct } from './labels';
import { mean } from './logits';
import { textHead } from './text-head';

/**
 * Any number of labels for each text: a sigmoid for each, binary cross-entropy over all of them, as transformers'
 * `problem_type` "multi_label_classification". Its score is the micro F1. Throws OptionError.
 */
export function multiLabelHead(labels: readonly string[]): Head {
  if (labels.length < 1) throw new OptionError('labels', 'a multi-label task needs at least one label');
  requireDistinct(labels);
  const known = new Set(labels);
  return textHead({
    kind: 'multi-label',
    outputs: labels.length,
    labelType: 'f32',
    expected: `a list of the task's labels (${listLabels(labels)})`,
    numbersOf(label) {
      if (typeof label !== 'object' || !label.every((one) => known.has(one))) return undefined;
      const own = new Set(label);
      return labels.map((one) => (own.has(one) ? 1 : 0));
    },
    loss: binaryCrossEntropy,
    weigh(choice, examples) {
      const counts = labels.map((_, c) =>
        examples.reduce((sum, example) => sum + (example.labels[c] ?? 0), 0),
      );
      // PyTorch's advice for pos_weight; a label that every example has keeps its weight, else it would never be learnt.
      const balance = (count: number) => (count < examples.length ? (examples.length - count) / count : 1);
      return { weights: classWeights(choice, labels, counts, balance), examples };
    },
    predict: (row) => ({
      labels: labels.filter((_, c) => isPredicted(row[c])),
      scores: Object.fromEntries(labels.map((label, c) => [label, sigmoid(row[c] ?? Number.NaN)])),
    }),
    evaluate(rows, actual) {
      const predicted = rows.map((row) => Array.from(row, (logit) => (isPredicted(logit) ? 1 : 0)));
      const loss = mean(
        rows.map((row, i) => mean(Array.from(row, (z, c) => lossOf(z, actual[i]?.[c] ?? 0)))),
      );
      const metrics = multiLabelMetrics({ actual, predicted, labelCount: labels.length, loss });
      return { metrics, score: metrics.microF1 };
    },
  });
}

/** Probability above 0.5. */
function isPredicted(logit = Number.NaN): boolean {
  return logit > 0;
}

function sigmoid(z: number): number {
  return 1 / (1 + Math.exp(-z));
}

/** −y log σ(z) − (1 − y) log(1 − σ(z)): docs/derivations/binary_cross_entropy.md. */
function lossOf(z: number, label: number): number {
  return Math.max(z, 0) - z * label + Math.log1p(Math.exp(-Math.abs(z)));
}
