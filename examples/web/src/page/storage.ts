/** What is kept on this computer, and whether it stays. */
import type { Context } from './context';
import { byId, showText } from './dom';
import { bytes } from './format';

export function createStorage({ store, notices }: Context): void {
  const place = byId('storage-state', HTMLElement);
  const note = byId('storage-note', HTMLElement);
  const persist = byId('persist', HTMLButtonElement);
  let isPersistent: boolean | undefined;

  function show(): void {
    const { storage } = store.state;
    if (storage === undefined) return;
    const used = storage.usedBytes === undefined ? '' : `: ${bytes(storage.usedBytes)}`;
    const fate = isPersistent === true ? 'It stays until you delete it.' : '';
    place.textContent = storage.available
      ? `Tasks, examples and the backbone, in this browser${used}. ${fate}`
      : 'Nothing: this browser gives no storage here, as in a private window. All works until the page is closed.';
    showText(note, storage.note);
    persist.hidden = !storage.available || isPersistent !== false;
  }

  // Without it, a browser that is short of space may delete what is kept. Some browsers ask the user.
  persist.addEventListener('click', async () => {
    isPersistent = await navigator.storage.persist();
    if (!isPersistent) {
      notices.info(
        'The browser did not agree. It may after you have used or bookmarked this page; meanwhile, download what matters.',
      );
    }
    show();
  });

  store.subscribe((state, before) => {
    if (state.storage !== before.storage) show();
  });
  // Absent on pages without TLS.
  void navigator.storage?.persisted().then((answer) => {
    isPersistent = answer;
    show();
  });
}
