/** The tasks at the side: each a link, with where it stands and what it weighs. */
import type { TaskState, TrainProgress } from '../engine';
import type { Context } from './context';
import { byId, element } from './dom';
import { bytes, counted, percent } from './format';
import { taskAddress } from './navigation';
import type { PageState } from './store';

interface Entry {
  readonly item: HTMLLIElement;
  readonly link: HTMLAnchorElement;
  readonly name: HTMLElement;
  readonly about: HTMLElement;
}

export function createTaskList({ store }: Context): void {
  const list = byId('task-list', HTMLElement);
  const none = byId('no-tasks', HTMLElement);
  const entries = new Map<string, Entry>();

  /** Entries stay the same elements, so that the keyboard's place in the list is not lost when one of them changes. */
  function entryOf(task: TaskState): Entry {
    const kept = entries.get(task.id);
    if (kept !== undefined) return kept;
    const name = element('span', { class: 'task-name' });
    const about = element('span', { class: 'task-about figures' });
    const link = element('a', { href: taskAddress(task.id) }, name, about);
    const item = element('li', {}, link);
    const entry = { item, link, name, about };
    entries.set(task.id, entry);
    list.append(item);
    return entry;
  }

  function show(state: PageState): void {
    for (const [id, { item }] of entries) {
      if (state.tasks.has(id)) continue;
      item.remove();
      entries.delete(id);
    }
    for (const task of state.tasks.values()) {
      const { link, name, about } = entryOf(task);
      name.textContent = task.name;
      about.textContent = describeTask(task, state.progress.get(task.id));
      link.classList.toggle('other-backbone', !task.fits);
      if (task.id === state.selected) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    none.hidden = state.tasks.size > 0;
  }

  store.subscribe((state, before) => {
    const isSame =
      state.tasks === before.tasks &&
      state.progress === before.progress &&
      state.selected === before.selected;
    if (!isSame) show(state);
  });
}

function describeTask(task: TaskState, progress: TrainProgress | undefined): string {
  const share = progress === undefined ? undefined : progress.step / Math.max(1, progress.totalSteps);
  const parts: string[] = [];
  if (task.status === 'training') parts.push(`training, ${Math.floor(100 * (share ?? 0))}%`);
  else if (task.status === 'paused') parts.push(`paused at ${Math.floor(100 * (share ?? 0))}%`);
  else if (task.status === 'new') parts.push(counted(task.exampleCount, 'example'));
  else if (task.result !== undefined) parts.push(mainScore(task.result.metrics));
  if (task.byteLength !== undefined) parts.push(bytes(task.byteLength));
  if (!task.fits) parts.push('other backbone');
  return parts.join(' · ');
}

function mainScore(metrics: NonNullable<TaskState['result']>['metrics']): string {
  return 'accuracy' in metrics ? percent(metrics.accuracy) : `r = ${metrics.pearson.toFixed(2)}`;
}
