import { element } from './dom';

/** A line of a bar chart: a name, a bar, a figure. `share` of the longest bar, in [0, 1]. */
export function bar(label: string, share: number, figure: string): HTMLLIElement {
  const fill = element('span', { class: 'bar-fill' });
  // Not an attribute: the page's policy forbids styles in the markup.
  fill.style.inlineSize = `${100 * share}%`;
  return element(
    'li',
    { class: 'bar' },
    element('span', { class: 'bar-label' }, label),
    element('span', { class: 'bar-track', 'aria-hidden': 'true' }, fill),
    element('span', { class: 'bar-figure figures' }, figure),
  );
}
