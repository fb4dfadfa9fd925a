import type { ExampleRow } from '../engine';
import { element } from './dom';

export interface RowActions {
  change(index: number, row: ExampleRow): void;
  remove(index: number): void;
  /** To the row below, or a new one: so that examples can be typed in without the mouse. */
  next(index: number): void;
}

/** One example as a row of the table, with fields for its text (and second text) and its label. */
export function exampleRow(
  index: number,
  row: ExampleRow,
  takesPairs: boolean,
  actions: RowActions,
): HTMLTableRowElement {
  const number = index + 1;
  const text = textField(row.text, `Text of row ${number}`, 'example-text');
  const pair = takesPairs
    ? textField(row.pair ?? '', `Second text of row ${number}`, 'example-pair')
    : undefined;
  const label = element('input', {
    type: 'text',
    class: 'example-label',
    list: 'labels',
    autocomplete: 'off',
    'aria-label': `Label of row ${number}`,
  });
  label.value = row.label;
  const remove = element(
    'button',
    { type: 'button', class: 'button small plain', 'aria-label': `Delete row ${number}` },
    '×',
  );
  const change = () =>
    actions.change(index, {
      text: text.value,
      label: label.value,
      ...(pair !== undefined && { pair: pair.value }),
    });
  for (const field of [text, pair, label]) field?.addEventListener('input', change);
  label.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    actions.next(index);
  });
  remove.addEventListener('click', () => actions.remove(index));
  return element(
    'tr',
    {},
    element('th', { scope: 'row', class: 'figures' }, String(number)),
    element('td', { class: 'texts' }, text, pair),
    element('td', { class: 'label-cell' }, label),
    element('td', { class: 'remove-cell' }, remove),
  );
}

function textField(value: string, label: string, className: string): HTMLTextAreaElement {
  const field = element('textarea', { rows: 1, class: className, 'aria-label': label });
  field.value = value;
  return field;
}
