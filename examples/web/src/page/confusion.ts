import { element, scrollable } from './dom';
import { grouped } from './format';

/** Beyond this a matrix is a carpet; the most frequent confusions say more. */
const LARGEST_MATRIX = 16;
const MOST_CONFUSIONS = 15;
const EXPLAIN_MATRIX = 'Rows: the right label. Columns: what was predicted.';

/** `confusion[actual][predicted]`, in the order of `labels`. */
export function confusionMatrix(
  confusion: readonly (readonly number[])[],
  labels: readonly string[],
): HTMLElement {
  const isMatrix = labels.length <= LARGEST_MATRIX;
  const content = isMatrix ? matrix(confusion, labels) : frequent(confusion, labels);
  const about = isMatrix ? EXPLAIN_MATRIX : `The most frequent confusions among ${labels.length} labels.`;
  return element(
    'div',
    { class: 'part' },
    element('h3', {}, 'What is taken for what'),
    element('p', { class: 'quiet' }, about),
    content,
  );
}

function matrix(confusion: readonly (readonly number[])[], labels: readonly string[]): HTMLElement {
  const heads = labels.map((label) => element('th', { scope: 'col' }, label));
  const rows = labels.map((label, actual) => {
    const counts = confusion[actual] ?? [];
    const total = counts.reduce((sum, count) => sum + count, 0);
    const cells = labels.map((_, predicted) => cell(counts[predicted] ?? 0, total, actual === predicted));
    return element('tr', {}, element('th', { scope: 'row' }, label), ...cells);
  });
  return scrollable(
    'Confusion matrix',
    element(
      'table',
      { class: 'matrix' },
      element('thead', {}, element('tr', {}, element('td', {}), ...heads)),
      element('tbody', {}, ...rows),
    ),
  );
}

function cell(count: number, total: number, isRight: boolean): HTMLElement {
  const share = total === 0 ? 0 : count / total;
  const made = element(
    'td',
    { class: `figures ${isRight ? 'right' : 'wrong'}${share === 0 ? ' zero' : ''}` },
    grouped(count),
  );
  // At most 35%: on a stronger tint the figure would not be legible.
  made.style.setProperty('--share', `${Math.round(35 * share)}%`);
  return made;
}

function frequent(confusion: readonly (readonly number[])[], labels: readonly string[]): HTMLElement {
  const wrong = confusion
    .flatMap((counts, actual) => counts.map((count, predicted) => ({ actual, predicted, count })))
    .filter(({ actual, predicted, count }) => actual !== predicted && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, MOST_CONFUSIONS);
  if (wrong.length === 0) return element('p', {}, 'No held-out example was predicted wrongly.');
  const heads = ['right label', 'predicted', 'examples'].map((head) => element('th', { scope: 'col' }, head));
  const rows = wrong.map(({ actual, predicted, count }) =>
    element(
      'tr',
      {},
      element('td', {}, labels[actual]),
      element('td', {}, labels[predicted]),
      element('td', { class: 'figures' }, grouped(count)),
    ),
  );
  return scrollable(
    'Most frequent confusions',
    element('table', {}, element('thead', {}, element('tr', {}, ...heads)), element('tbody', {}, ...rows)),
  );
}
