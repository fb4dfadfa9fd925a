/** The adapter beside what one gets without it: the frozen backbone and a linear model on top. */
import type { TaskResult } from '../engine';
import { bar } from './bar';
import { element } from './dom';
import { duration, percent } from './format';

export function comparison({ metrics, baseline, seconds }: TaskResult): HTMLElement {
  const isClassification = 'accuracy' in metrics;
  const score = isClassification ? metrics.accuracy : metrics.pearson;
  const show = isClassification ? percent : (value: number) => value.toFixed(3);
  const linear = isClassification ? 'logistic regression' : 'ridge regression';
  const figure = (value: number, time: number) => `${show(value)} in ${duration(time)}`;
  const bars = element(
    'ul',
    { class: 'bars wide', 'aria-label': 'Score on held-out examples' },
    bar('Adapter', Math.max(0, score), figure(score, seconds)),
    bar(`Frozen backbone + ${linear}`, Math.max(0, baseline.score), figure(baseline.score, baseline.seconds)),
  );
  bars.lastElementChild?.classList.add('other');
  return element(
    'div',
    { class: 'part' },
    element('h3', {}, 'Was the adapter worth it?'),
    bars,
    element('p', { class: 'quiet' }, verdict(score, baseline.score, metrics.examples, isClassification)),
    ...(baseline.note === undefined ? [] : [element('p', { class: 'quiet' }, baseline.note)]),
  );
}

/**
 * What the difference says. For accuracies its standard error is at most √(p(1−p)·2/n), p the mean of both (two shares of n
 * examples, taken as independent; being measured on the same examples they are closer than that).
 */
export function verdict(
  adapter: number,
  baseline: number,
  examples: number,
  isClassification: boolean,
): string {
  const difference = adapter - baseline;
  if (!isClassification) {
    const better = difference > 0 ? 'The adapter' : 'The simple model';
    return Math.abs(difference) < 0.01
      ? 'Both correlate about equally with the right values.'
      : `${better} correlates better with the right values, by ${Math.abs(difference).toFixed(3)}.`;
  }
  const mean = (adapter + baseline) / 2;
  const error = Math.sqrt((2 * mean * (1 - mean)) / Math.max(1, examples));
  const points = `${(100 * Math.abs(difference)).toFixed(1)} points`;
  const chance = `with ${examples} held-out examples, differences below ${Math.max(0.1, 200 * error).toFixed(1)} points may be chance`;
  if (difference === 0) return `No difference; ${chance}.`;
  const winner = difference > 0 ? 'The adapter is better' : 'The simple model is better';
  const advice =
    difference < 0 ? ' More epochs, a higher learning rate or more examples may turn that round.' : '';
  return `${winner} by ${points}; ${chance}.${advice}`;
}
