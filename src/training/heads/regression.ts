import { OptionError } from '../../errors';
import { squaredError } from '../../ops/squared_error';
import { regressionMetrics } from '../metrics';
import type { Head } from './head';
import { mean } from './logits';
import { textHead } from './text-head';

/** A number for each text: one logit, squared error. Its score is Pearson's correlation. Throws OptionError for labels. */
export function regressionHead(labels: readonly string[]): Head {
  if (labels.length > 0) throw new OptionError('labels', 'a regression task has none');
  return textHead({
    kind: 'regression',
    outputs: 1,
    labelType: 'f32',
    expected: 'a finite number',
    numbersOf(label) {
      const isNumber = typeof label !== 'object' && label !== '' && Number.isFinite(Number(label));
      return isNumber ? [Number(label)] : undefined;
    },
    loss: (tape, logits) => squaredError(tape, logits),
    predict: ([value = Number.NaN]) => ({ value }),
    evaluate(rows, labelNumbers) {
      const actual = labelNumbers.map(([number = Number.NaN]) => number);
      const predicted = rows.map(([value = Number.NaN]) => value);
      const loss = mean(predicted.map((value, i) => (value - (actual[i] ?? Number.NaN)) ** 2));
      const metrics = regressionMetrics({ actual, predicted, loss });
      return { metrics, score: metrics.pearson };
    },
  });
}
