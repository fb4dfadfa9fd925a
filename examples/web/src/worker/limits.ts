/** Names and sizes as files and backbones can hold them. */
import { type Backbone, OptionError } from 'graft-ml';

/** Of a text or pair; the library's default. */
export const MOST_TOKENS = 128;

const LONGEST_NAME = 100;

export function maxLengthAt({ config }: Backbone): number {
  return Math.min(MOST_TOKENS, config.maxPositions);
}

/** A task's name as it is shown. Throws OptionError for none. */
export function checkName(name: string): string {
  const trimmed = name.trim().slice(0, LONGEST_NAME);
  if (trimmed === '') throw new OptionError('name', 'a task needs a name');
  return trimmed;
}

/** A task's name as AdapterHub's files, where it names a module of PyTorch, and a file's name can hold it. */
export function adapterName(name: string): string {
  return name.replace(/[^\p{L}\p{N}_-]+/gu, '-').replace(/^-+|-+$/g, '') || 'task';
}

export function byteLengthOf(files: Readonly<Record<string, Uint8Array>>): number {
  return Object.values(files).reduce((sum, { length }) => sum + length, 0);
}
