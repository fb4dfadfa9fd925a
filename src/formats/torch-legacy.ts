/**
 * Files of PyTorch before 1.6 (`_legacy_save` in torch/serialization.py): five pickles one after the other (a magic number, the
 * protocol's version, the machine, the object, the storages' keys), then each storage as its number of elements in 64 bits
 * and its bytes.
 */
import { FileFormatError } from '../errors';
import type { RandomAccessFile } from '../platform/files';
import { show } from './json';
import {
  CONVERT_HINT,
  MAX_PICKLE_BYTES,
  PickleDict,
  type PickleObjects,
  type PickleValue,
  unpickle,
} from './pickle';
import { type TorchContent, TorchStorage, torchObjects } from './torch-objects';

/** A pickle of the integer 0x1950a86a20f9469cfc6c: PROTO 2, LONG1 of 10 bytes, STOP. */
const MAGIC = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

const VERSION = 1001;

/** More storages than any checkpoint has. */
const MAX_STORAGES = 20_000;

export function isLegacyTorchFile(firstBytes: Uint8Array): boolean {
  return MAGIC.every((byte, index) => firstBytes[index] === byte);
}

interface Place {
  /** Of the first element. */
  readonly offset: number;
  readonly length: number;
}

/** Throws FileFormatError naming the place. */
export async function readLegacyTorchFile(file: RandomAccessFile): Promise<TorchContent> {
  const head = await file.read(0, Math.min(file.size, MAX_PICKLE_BYTES));
  /** Every storage that the pickle names; their lengths in bytes follow from their types. */
  const named = new Map<string, TorchStorage>();
  const objects: PickleObjects = {
    ...torchObjects,
    persistent: (id, fail) => {
      const storage = torchObjects.persistent(id, fail);
      if (storage instanceof TorchStorage) named.set(storage.key, storage);
      return storage;
    },
  };
  let end = MAGIC.length;
  const next = (place: string): PickleValue => {
    const pickle = unpickle(head, file.name, `${place} at byte ${end}`, objects, end);
    end = pickle.end;
    return pickle.value;
  };
  const version = next('version');
  const machine = next('machine');
  if (
    version !== VERSION ||
    !(machine instanceof PickleDict) ||
    machine.entries.get('little_endian') !== true
  ) {
    throw new FileFormatError(
      file.name,
      undefined,
      'it is of another version of the format, or of a big-endian machine',
      CONVERT_HINT,
    );
  }
  const value = next('state dict');
  const keys = next('keys');
  const places = await findStorages(file, keys, named, end);
  return {
    value,
    storage: (storage) => {
      const place = places.get(storage.key);
      if (place?.length !== storage.length * storage.elementBytes) {
        throw new FileFormatError(
          file.name,
          `storage ${show(storage.key)}`,
          `${storage.length} elements were expected, found ${place === undefined ? 'nothing' : 'another number'}`,
        );
      }
      return (offset, length) => {
        if (offset < 0 || offset + length > place.length) {
          throw new RangeError(`bytes ${offset} to ${offset + length} of a storage of ${place.length}`);
        }
        return file.read(place.offset + offset, length);
      };
    },
  };
}

/** Walks over the storages, which lie in the order of `keys`. */
async function findStorages(
  file: RandomAccessFile,
  keys: PickleValue,
  named: ReadonlyMap<string, TorchStorage>,
  start: number,
): Promise<ReadonlyMap<string, Place>> {
  if (!Array.isArray(keys) || keys.length > MAX_STORAGES) {
    throw new FileFormatError(
      file.name,
      undefined,
      `a list of at most ${MAX_STORAGES} storages was expected`,
    );
  }
  const places = new Map<string, Place>();
  let at = start;
  for (const key of keys) {
    const storage = typeof key === 'string' ? named.get(key) : undefined;
    const place = `storage at byte ${at}`;
    if (storage === undefined || places.has(storage.key)) {
      throw new FileFormatError(file.name, place, 'no tensor has it, or it occurs twice');
    }
    const prefix = await file.read(at, 8);
    const count = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
    const length = storage.length * storage.elementBytes;
    if (count !== BigInt(storage.length) || length > file.size - at - 8) {
      throw new FileFormatError(
        file.name,
        place,
        `${storage.length} elements were expected, ${count} are announced, ${file.size - at - 8} bytes follow`,
        'The file is cut off or damaged: fetch it again',
      );
    }
    places.set(storage.key, { offset: at + 8, length });
    at += 8 + length;
  }
  return places;
}
