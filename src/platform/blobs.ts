/** Files that are in memory or that a page was given: a file input, a drop, another task's result. */
import { FileAccessError } from '../errors';
import { endsBefore, type FileSource, type RandomAccessFile } from './files';

/** `files` by their plain names; a folder in front of a name, as a directory input gives it, is to be cut off by the caller. */
export function blobSource(files: Readonly<Record<string, Blob | Uint8Array>>): FileSource {
  const names = Object.keys(files);
  return {
    description: names.length === 0 ? 'no files' : `the given files (${names.slice(0, 8).join(', ')})`,
    open: async (name) => {
      const file = Object.hasOwn(files, name) ? files[name] : undefined;
      if (file === undefined) {
        return undefined;
      }
      return file instanceof Uint8Array ? bytesFile(name, file) : blobFile(name, file);
    },
  };
}

/** A blob's bytes are read piece by piece; a page's file is never in memory as a whole. */
export function blobFile(name: string, blob: Blob): RandomAccessFile {
  return {
    name,
    size: blob.size,
    read: async (offset, length) => {
      if (offset + length > blob.size) {
        throw endsBefore({ name, size: blob.size }, offset + length);
      }
      try {
        return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
      } catch (cause) {
        // A page's file that was changed or removed after it was chosen.
        throw new FileAccessError(name, 'cannot be read any more', 'Choose the file again', { cause });
      }
    },
    close: async () => {},
  };
}

function bytesFile(name: string, bytes: Uint8Array): RandomAccessFile {
  return {
    name,
    size: bytes.length,
    read: async (offset, length) => {
      if (offset + length > bytes.length) {
        throw endsBefore({ name, size: bytes.length }, offset + length);
      }
      return new Uint8Array(bytes.subarray(offset, offset + length));
    },
    close: async () => {},
  };
}
