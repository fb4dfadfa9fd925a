/** What a table's columns mean, and what becomes of its rows. */
import type { ColumnChoice, ExampleRow, TableExamples, TableGuess } from '../engine';
import type { Context } from './context';
import { showDataCheck } from './data-check';
import { byId, element, scrollable } from './dom';
import type { ShownExamples } from './examples-editor';
import { grouped } from './format';
import { showTask } from './navigation';

export type ReviewPurpose =
  | { readonly kind: 'new'; readonly name: string }
  | { readonly kind: 'more'; readonly target: ShownExamples };

export interface Review {
  /** Without a table, a new task starts empty and its examples are typed in. */
  show(table: TableGuess | undefined, purpose: ReviewPurpose): void;
  hide(): void;
}

const FORMATS: Readonly<Record<TableGuess['format'], string>> = {
  csv: 'comma-separated',
  tsv: 'tab-separated',
  jsonl: 'JSON Lines',
  lines: 'one text a line',
};

const LONGEST_CELL = 120;

export function createReview(
  { engine, store, notices }: Context,
  { back, done }: { back(): void; done(): void },
): Review {
  const form = byId('import-review', HTMLFormElement);
  const tablePart = byId('review-table', HTMLElement);
  const summary = byId('review-summary', HTMLElement);
  const preview = byId('review-preview', HTMLElement);
  const check = byId('review-check', HTMLElement);
  const text = byId('column-text', HTMLSelectElement);
  const pair = byId('column-pair', HTMLSelectElement);
  const label = byId('column-label', HTMLSelectElement);
  const settings = byId('review-settings', HTMLElement);
  const name = byId('task-name', HTMLInputElement);
  const kind = byId('task-kind', HTMLSelectElement);
  const bottleneck = byId('task-bottleneck', HTMLInputElement);
  const mode = byId('review-mode', HTMLFieldSetElement);
  const submit = byId('import-submit', HTMLButtonElement);

  let table: TableGuess | undefined;
  let purpose: ReviewPurpose = { kind: 'new', name: '' };
  let examples: readonly ExampleRow[] = [];
  /** Grows with each choice of columns: an answer to an earlier one is dropped. */
  let asked = 0;

  const columns = (): ColumnChoice => ({
    text: text.value,
    pair: pair.value === '' ? undefined : pair.value,
    label: label.value,
  });
  const chosenKind = () => (kind.value === 'regression' ? 'regression' : 'classification');

  async function applyColumns(isFirst: boolean): Promise<void> {
    if (table === undefined) return;
    const { tableId } = table;
    const mine = ++asked;
    const found = await notices.attempt(() => engine.applyColumns(tableId, columns()));
    if (mine !== asked || found === undefined) return;
    await showExamples(found, isFirst);
  }

  async function showExamples(found: TableExamples, isFirst: boolean): Promise<void> {
    examples = found.examples;
    submit.disabled = false;
    if (isFirst) kind.value = found.check.kind;
    if (found.check.kind === chosenKind()) showDataCheck(check, found.check);
    else await checkKind();
  }

  async function checkKind(): Promise<void> {
    const mine = ++asked;
    const found = await notices.attempt(() => engine.checkExamples(chosenKind(), examples));
    if (mine === asked && found !== undefined) showDataCheck(check, found);
  }

  async function createTask(): Promise<void> {
    const task = await engine.createTask({
      name: name.value.trim(),
      kind: chosenKind(),
      bottleneck: bottleneck.valueAsNumber,
    });
    if (examples.length > 0) await engine.setExamples(task.id, examples);
    store.putTask({ ...task, exampleCount: examples.length });
    done();
    showTask(task.id);
  }

  async function addExamples(target: ShownExamples): Promise<void> {
    const isAdded = new FormData(form).get('mode') === 'add';
    await target.replace(isAdded ? [...target.rows, ...examples] : examples);
    done();
  }

  for (const select of [text, pair, label]) {
    select.addEventListener('change', () => void applyColumns(false));
  }
  kind.addEventListener('change', () => {
    if (table !== undefined) void checkKind();
  });
  byId('import-back', HTMLButtonElement).addEventListener('click', back);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    submit.disabled = true;
    const current = purpose;
    await notices.attempt(() => (current.kind === 'more' ? addExamples(current.target) : createTask()));
    submit.disabled = false;
  });

  return {
    show(shown, shownPurpose) {
      table = shown;
      purpose = shownPurpose;
      examples = [];
      form.hidden = false;
      tablePart.hidden = shown === undefined;
      const isNew = shownPurpose.kind === 'new';
      settings.hidden = !isNew;
      // A field that is not shown must not keep the form from being sent.
      name.disabled = !isNew;
      bottleneck.disabled = !isNew;
      mode.hidden = isNew;
      submit.textContent = isNew ? 'Create the task' : 'Take these examples';
      if (shownPurpose.kind === 'new') name.value = shownPurpose.name;
      check.replaceChildren();
      // Until its rows are there.
      submit.disabled = shown !== undefined;
      if (shown === undefined) return;
      const { format, rowCount, guess } = shown;
      summary.textContent = `${grouped(rowCount)} rows, ${FORMATS[format]}.`;
      fillColumns(text, shown.columns, guess.text);
      fillColumns(pair, shown.columns, guess.pair ?? '', '– none –');
      fillColumns(label, shown.columns, guess.label, '– none yet –');
      preview.replaceChildren(scrollable('The first rows of the table', previewTable(shown)));
      void applyColumns(true);
    },
    hide() {
      asked++;
      form.hidden = true;
    },
  };
}

function fillColumns(
  select: HTMLSelectElement,
  columns: readonly string[],
  chosen: string,
  none?: string,
): void {
  select.replaceChildren(
    ...(none === undefined ? [] : [element('option', { value: '' }, none)]),
    ...columns.map((column) => element('option', { value: column }, column)),
  );
  select.value = chosen;
}

function previewTable({ columns, preview }: TableGuess): HTMLTableElement {
  const cut = (cell: string) => (cell.length > LONGEST_CELL ? `${cell.slice(0, LONGEST_CELL)}…` : cell);
  const heads = columns.map((column) => element('th', { scope: 'col' }, column));
  const rows = preview.map((cells) =>
    element('tr', {}, ...columns.map((_, index) => element('td', {}, cut(cells[index] ?? '')))),
  );
  return element(
    'table',
    {},
    element('thead', {}, element('tr', {}, ...heads)),
    element('tbody', {}, ...rows),
  );
}
