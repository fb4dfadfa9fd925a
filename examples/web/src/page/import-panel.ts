/**
 * From a text or a file to examples, in two views: where they come from; then what the table's columns mean, and for a new task its
 * settings. There is one panel: on the start it makes a task, in a dialog it adds to the one that is shown.
 */
import type { TableGuess } from '../engine';
import type { Context } from './context';
import { byId } from './dom';
import { createSetList } from './example-set-list';
import { EXAMPLE_SETS, type ExampleSet, fetchExampleSet } from './example-sets';
import type { ShownExamples } from './examples-editor';
import { createReview } from './import-review';
import { showTask } from './navigation';

/** A pasted text above this does not go through the text field, which would take the page's time to lay it out. */
const LARGE_PASTE = 200_000;

export interface ImportPanel {
  /** Shows what is in the file, on the start or, where a task is shown, in the dialog. */
  readFile(file: File): void;
}

export function createImportPanel(context: Context, target: ShownExamples): ImportPanel {
  const { engine, store, notices } = context;
  const panel = byId('import-panel', HTMLElement);
  const home = byId('import-home', HTMLElement);
  const slot = byId('import-slot', HTMLElement);
  const dialog = byId('import-dialog', HTMLDialogElement);
  const source = byId('import-source', HTMLElement);
  const sets = byId('ready-sets', HTMLElement);
  const typeIn = byId('type-examples', HTMLButtonElement);
  const paste = byId('paste', HTMLTextAreaElement);
  const file = byId('example-file', HTMLInputElement);
  const title = byId('import-title', HTMLElement);
  const review = createReview(context, { back: showSource, done: () => finish() });

  function showSource(): void {
    const isNew = !dialog.open;
    source.hidden = false;
    review.hide();
    sets.hidden = !isNew;
    typeIn.hidden = !isNew;
    title.hidden = !isNew;
    title.textContent = 'Start with examples';
  }

  function showReview(table: TableGuess | undefined, name: string): void {
    source.hidden = true;
    title.textContent = 'Your new task';
    if (!dialog.open) review.show(table, { kind: 'new', name });
    else if (table !== undefined) review.show(table, { kind: 'more', target });
  }

  function finish(): void {
    paste.value = '';
    if (dialog.open) dialog.close();
    showSource();
  }

  async function read(text: string | File): Promise<void> {
    const table = await notices.attempt(() => engine.readTable(text));
    if (table === undefined) return;
    showReview(table, typeof text === 'string' ? '' : text.name.replace(/\.\w+$/, ''));
    title.focus({ preventScroll: true });
  }

  /** A ready set needs no questions. */
  async function createFromSet(set: ExampleSet): Promise<void> {
    await notices.attempt(async () => {
      const { tableId, guess } = await engine.readTable(await fetchExampleSet(set));
      const { examples, check } = await engine.applyColumns(tableId, guess);
      const task = await engine.createTask({ name: set.name, kind: check.kind });
      await engine.setExamples(task.id, examples);
      store.putTask({ ...task, exampleCount: examples.length });
      showTask(task.id);
    });
  }

  function openDialog(): void {
    slot.append(panel);
    dialog.showModal();
    showSource();
  }

  byId('read-paste', HTMLButtonElement).addEventListener('click', () => {
    if (paste.value.trim() === '') paste.focus();
    else void read(paste.value);
  });
  paste.addEventListener('paste', (event) => {
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (text.length > LARGE_PASTE) {
      event.preventDefault();
      void read(text);
    } else if (paste.value === '' && text.includes('\n')) {
      // A table that is pasted into the empty field is read at once; the text stays, for going back.
      setTimeout(() => void read(paste.value));
    }
  });
  byId('choose-file', HTMLButtonElement).addEventListener('click', () => file.click());
  file.addEventListener('change', () => {
    const [chosen] = file.files ?? [];
    file.value = '';
    if (chosen !== undefined) void read(chosen);
  });
  // Also where the start is shown already, with a table that is not wanted.
  byId('new-task', HTMLElement).addEventListener('click', showSource);
  typeIn.addEventListener('click', () => showReview(undefined, 'My task'));
  byId('add-examples', HTMLButtonElement).addEventListener('click', openDialog);
  byId('import-close', HTMLButtonElement).addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => {
    home.append(panel);
    showSource();
  });
  createSetList(EXAMPLE_SETS, createFromSet);

  return {
    readFile(dropped) {
      if (store.task !== undefined && !dialog.open) openDialog();
      void read(dropped);
    },
  };
}
