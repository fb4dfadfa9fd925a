/** The name of the task that is shown, what it is, and what can be done with it as a whole. */
import type { TaskState } from '../engine';
import { confirm } from './confirm';
import type { Context } from './context';
import { byId, showText } from './dom';
import { bytes, counted, grouped } from './format';
import { taskShown } from './store';
import { saveFile } from './transfer';

export function createTaskHead({ engine, store, notices, announcer }: Context): void {
  const title = byId('task-title', HTMLElement);
  const facts = byId('task-facts', HTMLElement);
  const note = byId('task-note', HTMLElement);
  const download = byId('download', HTMLButtonElement);
  const rename = byId('rename-dialog', HTMLDialogElement);
  const newName = byId('new-name', HTMLInputElement);
  let renamed: string | undefined;

  store.subscribe((state, before) => {
    const task = taskShown(state);
    if (task === undefined || task === taskShown(before)) return;
    title.textContent = task.name;
    facts.textContent = describe(task);
    download.disabled = task.byteLength === undefined;
    const other = task.fits ? undefined : `It was trained on ${task.backbone}. Load that backbone to use it.`;
    showText(note, [other, task.note].filter((part) => part !== undefined && part !== '').join(' '));
  });

  download.addEventListener('click', async () => {
    const { task } = store;
    if (task === undefined) return;
    const files = await notices.attempt(() => engine.download(task.id));
    if (files !== undefined) saveFile(files.fileName, files.zip);
  });

  byId('rename', HTMLButtonElement).addEventListener('click', () => {
    if (store.task === undefined) return;
    renamed = store.task.id;
    newName.value = store.task.name;
    rename.showModal();
    newName.select();
  });
  byId('rename-cancel', HTMLButtonElement).addEventListener('click', () => rename.close());
  byId('rename-form', HTMLFormElement).addEventListener('submit', async () => {
    const taskId = renamed;
    const name = newName.value.trim();
    if (taskId === undefined || name === '') return;
    const task = await notices.attempt(() => engine.renameTask(taskId, name));
    if (task !== undefined) store.putTask(task);
  });

  byId('remove', HTMLButtonElement).addEventListener('click', async () => {
    const { task } = store;
    if (task === undefined) return;
    const isSure = await confirm(
      `Delete “${task.name}”?`,
      'Its adapter and its examples are deleted from this computer. This cannot be undone.',
      'Delete',
    );
    if (!isSure) return;
    await notices.attempt(async () => {
      await engine.removeTask(task.id);
      store.dropTask(task.id);
      announcer.say(`Task ${task.name} is deleted.`);
    });
  });
}

function describe(task: TaskState): string {
  const parts = [
    task.kind === 'regression' ? 'predicts a number' : undefined,
    task.kind === 'classification' && task.labels.length > 0
      ? counted(task.labels.length, 'label')
      : undefined,
    counted(task.exampleCount, 'example'),
    task.trainableParameters === undefined
      ? undefined
      : `${grouped(task.trainableParameters)} trained parameters`,
    task.byteLength === undefined ? undefined : bytes(task.byteLength),
    task.backbone === '' ? undefined : `on ${task.backbone}`,
  ];
  return parts.filter((part) => part !== undefined).join(' · ');
}
