import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const root = process.env.GRAFT_SHARED ?? resolve(import.meta.dirname, '../../../shared');

/** A file or folder of the shared data beside the repository; undefined where it is absent. */
export function sharedPath(...parts: string[]): string | undefined {
  const path = resolve(root, ...parts);
  return existsSync(path) ? path : undefined;
}
