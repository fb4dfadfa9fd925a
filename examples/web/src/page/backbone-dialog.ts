import type { BackboneLoader } from './backbone';
import type { Context } from './context';
import { byId, showText } from './dom';
import { mayReachHub, openWithHub } from './hub';
import { taskInTraining } from './store';

/** organisation/name, as the hub writes it. */
const HUB_ID = /^[\w.-]+\/[\w.-]+$/;

export function createBackboneDialog({ store }: Context, { load }: BackboneLoader): void {
  const dialog = byId('backbone-dialog', HTMLDialogElement);
  const form = byId('backbone-form', HTMLFormElement);
  const filesField = byId('backbone-files-field', HTMLElement);
  const files = byId('backbone-files', HTMLInputElement);
  const hubField = byId('backbone-hub-field', HTMLElement);
  const hubId = byId('hub-id', HTMLInputElement);
  const problem = byId('backbone-problem', HTMLElement);

  const chosen = () => String(new FormData(form).get('backbone'));
  byId('hub-note', HTMLElement).textContent = mayReachHub()
    ? 'This connects to huggingface.co, to fetch the files. Your text stays here.'
    : 'This connects to huggingface.co, to fetch the files. Your text stays here. This page’s policy forbids any connection, so it is opened anew under one that allows this host.';

  function showFields(): void {
    filesField.hidden = chosen() !== 'files';
    hubField.hidden = chosen() !== 'hub';
    showText(problem, undefined);
  }

  byId('change-backbone', HTMLButtonElement).addEventListener('click', () => {
    showFields();
    dialog.showModal();
  });
  byId('backbone-cancel', HTMLButtonElement).addEventListener('click', () => dialog.close());
  form.addEventListener('change', showFields);
  form.addEventListener('submit', (event) => {
    const id = hubId.value.trim();
    const reason = findProblem(chosen(), files.files?.length ?? 0, id);
    const isTraining = taskInTraining(store.state) !== undefined;
    const blocked = isTraining ? 'A task is training: pause or cancel it first.' : reason;
    if (blocked !== undefined) {
      event.preventDefault();
      showText(problem, blocked);
      return;
    }
    if (chosen() === 'embedded') load({ kind: 'embedded' });
    else if (chosen() === 'files') load({ kind: 'files', files: [...(files.files ?? [])] });
    else if (mayReachHub()) load({ kind: 'hub', id });
    else openWithHub(id);
  });
}

function findProblem(choice: string, fileCount: number, hubId: string): string | undefined {
  if (choice === 'files' && fileCount === 0) return 'Choose the files first.';
  if (choice === 'hub' && !HUB_ID.test(hubId))
    return 'A hub id is written organisation/name, as in sentence-transformers/all-MiniLM-L6-v2.';
  return undefined;
}
