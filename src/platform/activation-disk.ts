import { openActivationFile } from './activation-file';
import { openActivationOpfs } from './activation-opfs';
import type { ActivationStore } from './activation-store';
import { platform } from './platform';

/** This platform's disk: a temporary file in Node and Deno, OPFS in a browser. Throws FileWriteError where there is none. */
export function openActivationDisk(): Promise<ActivationStore> {
  return platform.hasFileSystem ? openActivationFile() : openActivationOpfs();
}
