/** A task's examples as a table that can be edited, a page of rows at a time; each change is kept by the engine and checked. */
import type { DataCheck, ExampleRow, TaskState } from '../engine';
import type { Context } from './context';
import { showDataCheck } from './data-check';
import { byId, element } from './dom';
import { exampleRow, type RowActions } from './example-row';
import { grouped } from './format';
import { taskShown } from './store';
import { debounced } from './throttle';

const ROWS_A_PAGE = 25;
/** Of typing, in milliseconds, before a change is kept. */
const TYPING_PAUSE = 500;
const ALL = 'all';

/** The examples of the task that is shown. */
export interface ShownExamples {
  readonly rows: readonly ExampleRow[];
  replace(rows: readonly ExampleRow[]): Promise<void>;
  /** Until the engine has been given what was typed last. */
  settled(): Promise<void>;
}

interface Filter {
  readonly name: string;
  readonly rows: readonly number[];
}

export function createExamplesEditor({ engine, store, notices }: Context): ShownExamples {
  const editor = byId('examples-editor', HTMLFieldSetElement);
  const addExamples = byId('add-examples', HTMLButtonElement);
  const checkPlace = byId('data-check', HTMLElement);
  const filter = byId('rows-filter', HTMLSelectElement);
  const shown = byId('rows-shown', HTMLElement);
  const previous = byId('previous-rows', HTMLButtonElement);
  const next = byId('next-rows', HTMLButtonElement);
  const body = byId('rows', HTMLElement);
  const labels = byId('labels', HTMLElement);
  const labelHeading = byId('label-heading', HTMLElement);

  /** Of the task `taskId`; a copy that is edited. */
  let rows: ExampleRow[] = [];
  let taskId: string | undefined;
  /** Whether `rows` are that task's already. */
  let isLoaded = false;
  let takesPairs = false;
  /** Which rows are listed, and from which of these on. */
  let listed: readonly number[] = [];
  let first = 0;
  let filters: readonly Filter[] = [];
  /** The engine's rows by their number: rows that are still empty are not given to it. */
  let given: readonly number[] = [];
  let saved: Promise<void> = Promise.resolve();
  const saving = debounced(TYPING_PAUSE, () => {
    saved = save();
  });

  async function load(task: TaskState): Promise<void> {
    taskId = task.id;
    const found = await notices.attempt(async () => {
      const examples = await engine.examplesOf(task.id);
      return { examples, check: await engine.checkExamples(task.kind, examples) };
    });
    if (found === undefined || taskId !== task.id) return;
    isLoaded = true;
    rows = [...found.examples];
    given = rows.map((_, index) => index);
    takesPairs = task.takesPairs || rows.some(({ pair }) => pair !== undefined);
    labelHeading.textContent = task.kind === 'regression' ? 'Value' : 'Label';
    showCheck(found.check);
    list(ALL);
  }

  /** A backbone tells which texts are too long. */
  async function checkAgain({ id, kind }: TaskState): Promise<void> {
    const filled = rows.filter((row) => !isEmpty(row));
    const check = await notices.attempt(() => engine.checkExamples(kind, filled));
    if (check !== undefined && id === taskId) showCheck(check);
  }

  async function save(): Promise<void> {
    const id = taskId;
    if (id === undefined) return;
    given = rows.flatMap((row, index) => (isEmpty(row) ? [] : [index]));
    const filled = rows.filter((row) => !isEmpty(row));
    const check = await notices.attempt(() => engine.setExamples(id, filled));
    if (check !== undefined && id === taskId) showCheck(check);
  }

  function showCheck(check: DataCheck): void {
    store.update({ check });
    const here = (found: readonly number[]) => found.flatMap((row) => given[row] ?? []);
    showDataCheck(checkPlace, check, (name, about) => {
      filters = [...filters.filter((kept) => kept.name !== name), { name, rows: here(about) }];
      fillFilters();
      list(name);
    });
    const named: Filter[] = [
      { name: 'duplicates', rows: here(check.duplicates) },
      { name: 'contradictions', rows: here(check.contradictions) },
      { name: 'too long', rows: here(check.tooLong ?? []) },
    ];
    // Rows that are being corrected stay listed, though the finding may be gone.
    const listedNow = filters.filter(({ name }) => name === filter.value);
    const found = named.filter((one) => one.rows.length > 0);
    filters = [...found, ...listedNow.filter(({ name }) => !found.some((one) => one.name === name))];
    fillFilters();
    labels.replaceChildren(...check.classes.map(({ label }) => element('option', { value: label })));
  }

  function fillFilters(): void {
    const chosen = filter.value;
    filter.replaceChildren(
      element('option', { value: ALL }, 'all rows'),
      ...filters.map(({ name, rows: found }) =>
        element('option', { value: name }, `${shorten(name)} (${grouped(found.length)})`),
      ),
    );
    filter.value = filters.some(({ name }) => name === chosen) ? chosen : ALL;
  }

  function list(name: string): void {
    filter.value = name;
    listed = filters.find((one) => one.name === name)?.rows ?? rows.map((_, index) => index);
    first = 0;
    show();
  }

  function show(): void {
    const page = listed.slice(first, first + ROWS_A_PAGE);
    const made = page.flatMap((index) => {
      const row = rows[index];
      return row === undefined ? [] : [exampleRow(index, row, takesPairs, actions)];
    });
    body.replaceChildren(...made);
    const last = first + page.length;
    shown.textContent =
      listed.length === 0 ? 'none' : `${grouped(first + 1)}–${grouped(last)} of ${grouped(listed.length)}`;
    previous.disabled = first === 0;
    next.disabled = last >= listed.length;
  }

  const actions: RowActions = {
    change(index, row) {
      rows[index] = row;
      saving.request();
    },
    remove(index) {
      rows.splice(index, 1);
      saving.request();
      const position = listed.indexOf(index);
      listed = listed.filter((row) => row !== index).map((row) => (row > index ? row - 1 : row));
      if (first >= listed.length) first = Math.max(0, first - ROWS_A_PAGE);
      show();
      // The keyboard goes on where the row was.
      const buttons = body.querySelectorAll<HTMLElement>('button');
      buttons[Math.min(Math.max(0, position - first), buttons.length - 1)]?.focus();
    },
    next(index) {
      const position = listed.indexOf(index) - first + 1;
      const fields = body.querySelectorAll<HTMLElement>('.example-text');
      const field = fields[position];
      if (field !== undefined) field.focus();
      else addRow();
    },
  };

  function addRow(): void {
    rows.push({ text: '', label: '', ...(takesPairs && { pair: '' }) });
    list(ALL);
    first = Math.floor((listed.length - 1) / ROWS_A_PAGE) * ROWS_A_PAGE;
    show();
    const fields = body.querySelectorAll<HTMLElement>('.example-text');
    fields[fields.length - 1]?.focus();
  }

  function turn(by: number): void {
    first += by;
    show();
  }

  filter.addEventListener('change', () => list(filter.value));
  previous.addEventListener('click', () => turn(-ROWS_A_PAGE));
  next.addEventListener('click', () => turn(ROWS_A_PAGE));
  byId('add-row', HTMLButtonElement).addEventListener('click', addRow);

  store.subscribe((state, before) => {
    const task = taskShown(state);
    if (task !== undefined && isLoaded && state.backbone !== before.backbone) void checkAgain(task);
    if (task === taskShown(before)) return;
    if (task === undefined || task.id !== taskId) {
      saving.flush();
      taskId = undefined;
      isLoaded = false;
      store.update({ check: undefined });
      body.replaceChildren();
      checkPlace.replaceChildren();
      if (task !== undefined) void load(task);
    } else if (task.exampleCount !== given.length && task.exampleCount !== taskShown(before)?.exampleCount) {
      // Changed in another tab.
      void load(task);
    }
    // A run that was begun is over its examples: they stay as they are until it has ended.
    const isBusy = task?.status === 'training' || task?.status === 'paused';
    editor.disabled = isBusy;
    addExamples.disabled = isBusy;
  });

  return {
    get rows() {
      return rows;
    },
    async replace(examples) {
      rows = [...examples];
      takesPairs = rows.some(({ pair }) => pair !== undefined);
      await save();
      list(ALL);
    },
    async settled() {
      saving.flush();
      await saved;
    },
  };
}

function isEmpty({ text, label }: ExampleRow): boolean {
  return text.trim() === '' && label.trim() === '';
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
