import { OptionError } from '../../errors';
import { crossEntropy } from '../../ops/cross_entropy';
import { classificationMetrics } from '../metrics';
import { weighClasses } from './class-weights';
import type { Head } from './head';
import { listLabels, requireDistinct } from './labels';
import { argmax, mean, softmax } from './logits';
import { textHead } from './text-head';

/** One of several labels for each text: softmax over the logits, cross-entropy. Its score is the accuracy. Throws OptionError. */
export function classificationHead(labels: readonly string[]): Head {
  if (labels.length < 2) {
    throw new OptionError('labels', 'a classification task needs at least two labels, each another');
  }
  requireDistinct(labels);
  const numbers = new Map(labels.map((label, index) => [label, index]));
  return textHead({
    kind: 'classification',
    outputs: labels.length,
    labelType: 'u32',
    expected: `one of the task's labels (${listLabels(labels)})`,
    numbersOf(label) {
      const number = typeof label === 'object' ? undefined : numbers.get(String(label));
      return number === undefined ? undefined : [number];
    },
    loss: crossEntropy,
    weigh: (choice, examples) => weighClasses(choice, labels, examples),
    predict(row) {
      const probabilities = softmax(row);
      const best = argmax(row);
      return {
        label: labels[best] ?? '',
        score: probabilities[best] ?? Number.NaN,
        scores: Object.fromEntries(labels.map((label, i) => [label, probabilities[i] ?? Number.NaN])),
      };
    },
    evaluate(rows, labelNumbers) {
      const actual = labelNumbers.map(([number = 0]) => number);
      const loss = mean(rows.map((row, i) => -Math.log(softmax(row)[actual[i] ?? 0] ?? Number.NaN)));
      const metrics = classificationMetrics({
        actual,
        predicted: rows.map(argmax),
        labelCount: labels.length,
        loss,
      });
      return { metrics, score: metrics.accuracy };
    },
  });
}
