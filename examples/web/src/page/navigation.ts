/** Which task is shown stands in the address, so that reload, back and forward do what they should. */
import type { Context } from './context';
import { byId } from './dom';

const PREFIX = '#task/';

export function taskAddress(taskId: string): string {
  return `${PREFIX}${encodeURIComponent(taskId)}`;
}

export function showTask(taskId: string): void {
  location.hash = taskAddress(taskId);
}

export function createNavigation({ store }: Context): void {
  const startView = byId('start-view', HTMLElement);
  const taskView = byId('task-view', HTMLElement);

  function read(): void {
    const { hash } = location;
    store.update({
      selected: hash.startsWith(PREFIX) ? decodeURIComponent(hash.slice(PREFIX.length)) : undefined,
    });
  }

  function show(): void {
    const isShown = store.task !== undefined;
    // Whether there is a task of the address is not known before the engine has told.
    const isAwaited = store.state.selected !== undefined && !store.state.isOpen;
    startView.hidden = isShown || isAwaited;
    taskView.hidden = !isShown;
    document.title = isShown
      ? `${store.task?.name} – Graft`
      : 'Graft: teach a language model your labels, in this page';
  }

  // Its address would be taken for the start's.
  byId('skip', HTMLElement).addEventListener('click', (event) => {
    event.preventDefault();
    byId('main', HTMLElement).focus();
  });
  addEventListener('hashchange', () => {
    read();
    scrollTo({ top: 0 });
    // The reader of a screen hears where it is.
    byId(store.task === undefined ? 'import-title' : 'task-title', HTMLElement).focus({
      preventScroll: true,
    });
  });
  store.subscribe((state, before) => {
    const isSame =
      state.selected === before.selected && state.tasks === before.tasks && state.isOpen === before.isOpen;
    if (!isSame) show();
    // A task that is gone, or never was here: the start.
    if (state.isOpen && state.selected !== undefined && store.task === undefined) {
      history.replaceState(undefined, '', location.pathname + location.search);
      read();
    }
  });
  read();
}
