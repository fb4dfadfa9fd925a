/** Files that are in memory, or that the browser reads for a page. */
import { FileAccessError } from '../errors';
import { endsBefore, type RandomAccessFile } from './files';

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

export function bytesFile(name: string, bytes: Uint8Array): RandomAccessFile {
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
