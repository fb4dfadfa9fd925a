import type { Prediction } from 'graft-ml';
import type { ExampleRow, Mistake } from '../engine';
import { labelOf, pairOf } from './data/labels';
import { requireKnownPrediction } from './kinds';

const MOST_MISTAKES = 200;

/** An example with its row. */
export interface NumberedExample {
  readonly row: number;
  readonly example: ExampleRow;
}

/** The wrong predictions, the surest first; of a regression's all, the farthest off first. */
export function findMistakes(
  examples: readonly NumberedExample[],
  predictions: readonly Prediction[],
): Mistake[] {
  const found = examples.flatMap(({ row, example }, index) => {
    const given = predictions[index];
    if (given === undefined) return [];
    const prediction = requireKnownPrediction(given);
    const expected = labelOf(example);
    const about = { row, text: example.text, pair: pairOf(example), expected };
    if ('value' in prediction) {
      const distance = Math.abs(prediction.value - Number(expected));
      return [{ weight: distance, mistake: { ...about, predicted: prediction.value.toFixed(2) } }];
    }
    const { label, score } = prediction;
    return label === expected ? [] : [{ weight: score, mistake: { ...about, predicted: label, score } }];
  });
  return found
    .sort((a, b) => b.weight - a.weight)
    .slice(0, MOST_MISTAKES)
    .map(({ mistake }) => mistake);
}
