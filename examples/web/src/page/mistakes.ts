import type { Mistake, TaskState } from '../engine';
import { element, scrollable } from './dom';
import { percent } from './format';

const SHOWN_FIRST = 8;
const LONGEST_TEXT = 240;

/** The worst mistakes first: often the label is what is wrong. */
export function mistakeTable({ kind }: TaskState, mistakes: readonly Mistake[]): HTMLElement {
  const part = element(
    'div',
    { class: 'part' },
    element('h3', {}, kind === 'regression' ? 'Farthest off' : 'Worst mistakes'),
  );
  if (mistakes.length === 0) {
    part.append(element('p', { class: 'quiet' }, 'None on the held-out examples.'));
    return part;
  }
  const heads = ['Row', 'Text', 'Right', 'Predicted'].map((head) => element('th', { scope: 'col' }, head));
  const body = element('tbody', {}, ...mistakes.slice(0, SHOWN_FIRST).map(mistakeRow));
  const table = element(
    'table',
    { class: 'mistakes' },
    element('thead', {}, element('tr', {}, ...heads)),
    body,
  );
  part.append(
    element('p', { class: 'quiet' }, 'Look at these first: often it is the label that is wrong.'),
    scrollable('Worst mistakes', table),
  );
  const rest = mistakes.slice(SHOWN_FIRST);
  if (rest.length > 0) {
    const more = element('button', { type: 'button', class: 'button small' }, `Show ${rest.length} more`);
    more.addEventListener('click', () => {
      body.append(...rest.map(mistakeRow));
      more.remove();
    });
    part.append(more);
  }
  return part;
}

function mistakeRow({ row, text, pair, expected, predicted, score }: Mistake): HTMLTableRowElement {
  const shown = pair === undefined ? text : `${text} / ${pair}`;
  const cut = shown.length > LONGEST_TEXT ? `${shown.slice(0, LONGEST_TEXT)}…` : shown;
  return element(
    'tr',
    {},
    element('th', { scope: 'row', class: 'figures' }, String(row + 1)),
    element('td', {}, cut),
    element('td', {}, expected),
    element('td', {}, score === undefined ? predicted : `${predicted} (${percent(score)})`),
  );
}
