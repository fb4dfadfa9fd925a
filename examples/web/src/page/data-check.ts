/** What is to be known of examples before training: classes as bars, and what may be wrong with them. */
import type { DataCheck, DataProblem } from '../engine';
import { bar } from './bar';
import { element } from './dom';
import { counted, grouped } from './format';

/** More classes than this are summed up in a line. */
const MOST_BARS = 12;

/** `showRows`, where given, is called with the rows that a finding is about and what it is called. */
export function showDataCheck(
  place: HTMLElement,
  check: DataCheck,
  showRows?: (name: string, rows: readonly number[]) => void,
): void {
  const findings = [
    ...check.problems.map((problem) => finding('problem', problem, showRows)),
    ...check.warnings.map((warning) => finding('warning', warning, showRows)),
  ];
  place.replaceChildren(
    facts(check),
    ...(check.classes.length > 0 ? [classBars(check.classes)] : []),
    ...(findings.length > 0 ? [element('ul', { class: 'findings' }, ...findings)] : []),
  );
}

function facts({
  examples,
  classes,
  duplicates,
  contradictions,
  tooLong,
  maxLength,
}: DataCheck): HTMLElement {
  const parts = [counted(examples, 'example')];
  if (classes.length > 0) parts.push(counted(classes.length, 'class', 'classes'));
  parts.push(duplicates.length === 0 ? 'no duplicates' : counted(duplicates.length, 'duplicate'));
  parts.push(
    contradictions.length === 0 ? 'no contradictions' : counted(contradictions.length, 'contradiction'),
  );
  if (tooLong !== undefined) {
    parts.push(
      tooLong.length === 0
        ? `none too long (${maxLength} tokens)`
        : `${grouped(tooLong.length)} longer than ${maxLength} tokens`,
    );
  }
  return element('p', { class: 'quiet' }, parts.join(' · '));
}

function classBars(classes: DataCheck['classes']): HTMLElement {
  const most = Math.max(...classes.map(({ count }) => count));
  const rest = classes.slice(MOST_BARS);
  const bars = classes
    .slice(0, MOST_BARS)
    .map(({ label, count }) => bar(label, count / most, grouped(count)));
  if (rest.length > 0) {
    const sum = rest.reduce((total, { count }) => total + count, 0);
    bars.push(
      element(
        'li',
        { class: 'quiet' },
        `and ${counted(rest.length, 'class', 'classes')} with ${counted(sum, 'example')}`,
      ),
    );
  }
  return element('ul', { class: 'bars', 'aria-label': 'Examples of each class' }, ...bars);
}

function finding(
  kind: 'problem' | 'warning',
  { message, rows = [] }: DataProblem,
  showRows: ((name: string, rows: readonly number[]) => void) | undefined,
): HTMLLIElement {
  const item = element('li', { class: kind }, element('span', {}, message));
  if (showRows !== undefined && rows.length > 0) {
    const button = element(
      'button',
      { type: 'button', class: 'link' },
      `Show ${counted(rows.length, 'row')}`,
    );
    button.addEventListener('click', () => showRows(message, rows));
    item.append(' ', button);
  }
  return item;
}
