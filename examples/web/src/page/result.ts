/** What a training came to, on the examples that were held out. */
import type { TaskResult } from '../engine';
import { comparison } from './comparison';
import { confusionMatrix } from './confusion';
import type { Context } from './context';
import { byId, element } from './dom';
import { duration, grouped, percent } from './format';
import { mistakeTable } from './mistakes';
import { taskShown } from './store';

export function createResult({ store }: Context): void {
  const card = byId('result-card', HTMLElement);
  const lead = byId('result-lead', HTMLElement);
  const figures = byId('result-figures', HTMLElement);
  const comparisonPlace = byId('comparison', HTMLElement);
  const confusionPlace = byId('confusion', HTMLElement);
  const mistakesPlace = byId('mistakes', HTMLElement);
  let drawn = '';

  store.subscribe((state, before) => {
    const task = taskShown(state);
    if (task === undefined || task === taskShown(before)) return;
    card.hidden = task.result === undefined;
    const { result } = task;
    // A task is told anew for many reasons; its result seldom changes, and drawing it may be long.
    const key = JSON.stringify([task.id, task.labels, result]);
    if (result === undefined || key === drawn) return;
    drawn = key;
    lead.textContent = describe(result);
    figures.replaceChildren(...tiles(result));
    comparisonPlace.replaceChildren(comparison(result));
    const { metrics } = result;
    confusionPlace.replaceChildren(
      ...('confusion' in metrics ? [confusionMatrix(metrics.confusion, task.labels)] : []),
    );
    mistakesPlace.replaceChildren(mistakeTable(task, result.mistakes));
  });
}

function describe({ metrics, seconds, bestEpoch, device }: TaskResult): string {
  return (
    `On ${grouped(metrics.examples)} held-out examples, which it was not trained on. The best epoch on them was kept, ` +
    `number ${bestEpoch}, so expect slightly less on new texts. Trained in ${duration(seconds)} on ${device}.`
  );
}

function tiles({ metrics }: TaskResult): HTMLElement[] {
  const figures: [name: string, value: string][] =
    'accuracy' in metrics
      ? [
          ['Accuracy', percent(metrics.accuracy)],
          ['F1', metrics.f1.toFixed(3)],
          ['Matthews', metrics.matthews.toFixed(3)],
        ]
      : [
          ['Pearson', metrics.pearson.toFixed(3)],
          ['Spearman', metrics.spearman.toFixed(3)],
          ['Typical error', Math.sqrt(metrics.meanSquaredError).toPrecision(3)],
        ];
  return figures.map(([name, value]) =>
    element('div', {}, element('dt', {}, name), element('dd', { class: 'figures' }, value)),
  );
}
