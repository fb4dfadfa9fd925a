/** Files by name: in memory, given to a page (a file input, a drop), another task's result, or each at its own URL. */
import { blobFile, bytesFile } from './blob-file';
import type { FileSource } from './files';
import { openUrl } from './url-file';

/** `files` by their plain names; a folder in front of a name, as a directory input gives it, is to be cut off by the caller. */
export function blobSource(files: Readonly<Record<string, Blob | Uint8Array | URL>>): FileSource {
  const names = Object.keys(files);
  return {
    description: names.length === 0 ? 'no files' : `the given files (${names.slice(0, 8).join(', ')})`,
    open: async (name, options) => {
      const file = Object.hasOwn(files, name) ? files[name] : undefined;
      if (file === undefined) {
        return undefined;
      }
      if (file instanceof URL) {
        return openUrl(file, name, options);
      }
      return file instanceof Uint8Array ? bytesFile(name, file) : blobFile(name, file);
    },
  };
}
