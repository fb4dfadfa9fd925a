/** Adapters out of the page and back into it. */
import type { Context } from './context';
import { byId } from './dom';
import { showTask } from './navigation';

export interface Uploader {
  upload(files: readonly File[]): void;
}

export function createUploader({ engine, store, notices, announcer }: Context): Uploader {
  const input = byId('upload-files', HTMLInputElement);

  function upload(files: readonly File[]): void {
    void notices
      .attempt(() => engine.upload(files))
      .then((task) => {
        if (task === undefined) return;
        store.putTask(task);
        announcer.say(`Task ${task.name} is loaded.`);
        showTask(task.id);
      });
  }

  byId('upload-button', HTMLButtonElement).addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])];
    // The same files may be chosen again.
    input.value = '';
    if (files.length > 0) upload(files);
  });
  return { upload };
}

/** Hands `blob` to the browser as a download. */
export function saveFile(fileName: string, blob: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = fileName;
  link.click();
  // The download has begun by then; until it has, the URL must live.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
