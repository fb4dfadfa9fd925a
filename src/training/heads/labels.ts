import { OptionError } from '../../errors';

/** A task's labels for a message: the first ten. */
export function listLabels(labels: readonly string[]): string {
  const shown = labels.slice(0, 10).map((label) => JSON.stringify(label));
  return shown.join(', ') + (labels.length > shown.length ? `, … ${labels.length} in all` : '');
}

/** Throws OptionError naming a label that is there twice. */
export function requireDistinct(labels: readonly string[]): void {
  const twice = labels.find((label, index) => labels.indexOf(label) < index);
  if (twice !== undefined) throw new OptionError('labels', `${JSON.stringify(twice)} is there twice`);
}
