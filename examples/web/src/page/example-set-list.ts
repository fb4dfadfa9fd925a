import { byId, element } from './dom';
import type { ExampleSet } from './example-sets';

/** A button for each ready set; while one is being read, none can be pressed. */
export function createSetList(sets: readonly ExampleSet[], choose: (set: ExampleSet) => Promise<void>): void {
  const buttons = sets.map((set) => {
    const button = element(
      'button',
      { type: 'button', class: 'set', 'data-set': set.file },
      element('strong', {}, set.name),
      element('span', { class: 'quiet' }, set.about),
    );
    button.addEventListener('click', async () => {
      for (const other of buttons) other.disabled = true;
      await choose(set);
      for (const other of buttons) other.disabled = false;
    });
    return button;
  });
  byId('sets', HTMLElement).append(...buttons.map((button) => element('li', {}, button)));
}
