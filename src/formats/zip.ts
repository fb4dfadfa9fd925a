/**
 * Archives in ZIP's format whose files are stored as they are, without compression: what `torch.save` writes. Read by ranges,
 * through the central directory at the end (PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3).
 */
import { FileFormatError } from '../errors';
import type { RandomAccessFile } from '../platform/files';
import { decodeUtf8, show } from './json';

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
/** Extra field with sizes of 64 bits. */
const EXTRA_64 = 0x0001;

const LOCAL_HEADER_BYTES = 30;
const CENTRAL_HEADER_BYTES = 46;
const END_BYTES = 22;
const END_64_BYTES = 56;
const LOCATOR_64_BYTES = 20;
/** The comment at the end has a length of 16 bits. */
const MAX_COMMENT_BYTES = 0xffff;

const ENCRYPTED = 0x0001 | 0x0040 | 0x2000;
const STORED = 0;

/** A checkpoint has a file a tensor and some small ones. */
const MAX_ENTRIES = 20_000;
const MAX_DIRECTORY_BYTES = 16 * 1024 * 1024;

const DAMAGED = 'The file is cut off or damaged: fetch it again';

export interface ZipEntry {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Throws FileFormatError where the entry's own header contradicts the directory, RangeError outside of the entry. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

interface PlacedEntry {
  readonly name: string;
  readonly size: number;
  /** Of the local header. */
  readonly offset: number;
}

/**
 * The archive's files by name; folders are left out. Everything but the local headers is checked here, those when an entry is
 * read. Throws FileFormatError for an archive that is damaged, compressed, encrypted or split, for entries that overlap, a name
 * that occurs twice or leads out of the archive.
 */
export async function openStoredZip(file: RandomAccessFile): Promise<ReadonlyMap<string, ZipEntry>> {
  const directory = await findDirectory(file);
  const bytes = await file.read(directory.offset, directory.size);
  const placed = parseDirectory(bytes, directory.entries, file.name);
  placed.sort((a, b) => a.offset - b.offset);
  const entries = new Map<string, ZipEntry>();
  for (const [index, entry] of placed.entries()) {
    // Each ends where the next one's header begins, at the latest.
    const limit = placed[index + 1]?.offset ?? directory.offset;
    if (entry.offset + LOCAL_HEADER_BYTES + entry.name.length + entry.size > limit) {
      throw new FileFormatError(file.name, `entry ${show(entry.name)}`, 'its bytes overlap others', DAMAGED);
    }
    if (entry.name.endsWith('/')) continue;
    if (entries.has(entry.name)) {
      throw new FileFormatError(file.name, `entry ${show(entry.name)}`, 'the name occurs twice');
    }
    entries.set(entry.name, openEntry(file, entry, limit));
  }
  return entries;
}

interface Directory {
  readonly offset: number;
  readonly size: number;
  readonly entries: number;
}

async function findDirectory(file: RandomAccessFile): Promise<Directory> {
  const tailLength = Math.min(file.size, LOCATOR_64_BYTES + END_BYTES + MAX_COMMENT_BYTES);
  const tailStart = file.size - tailLength;
  const tail = viewOf(await file.read(tailStart, tailLength));
  const end = findEnd(tail);
  if (end === undefined) {
    throw new FileFormatError(file.name, undefined, 'the end of a ZIP archive was not found', DAMAGED);
  }
  const place = `byte ${tailStart + end}`;
  const disks = [tail.getUint16(end + 4, true), tail.getUint16(end + 6, true)];
  let directory: Directory = {
    entries: tail.getUint16(end + 10, true),
    size: tail.getUint32(end + 12, true),
    offset: tail.getUint32(end + 16, true),
  };
  /** Where what follows the directory begins. */
  let directoryEnd = tailStart + end;
  const locator = end - LOCATOR_64_BYTES;
  if (locator >= 0 && tail.getUint32(locator, true) === LOCATOR_64) {
    const offset64 = Number(tail.getBigUint64(locator + 8, true));
    if (offset64 + END_64_BYTES !== tailStart + locator) {
      throw new FileFormatError(
        file.name,
        `byte ${tailStart + locator}`,
        'it points to no end of a ZIP64 archive',
        DAMAGED,
      );
    }
    const end64 = viewOf(await file.read(offset64, END_64_BYTES));
    if (end64.getUint32(0, true) !== END_64) {
      throw new FileFormatError(file.name, `byte ${offset64}`, 'no end of a ZIP64 archive is here', DAMAGED);
    }
    disks.push(end64.getUint32(16, true), end64.getUint32(20, true));
    directory = {
      entries: Number(end64.getBigUint64(32, true)),
      size: Number(end64.getBigUint64(40, true)),
      offset: Number(end64.getBigUint64(48, true)),
    };
    directoryEnd = offset64;
  }
  if (disks.some((disk) => disk !== 0)) {
    throw new FileFormatError(file.name, place, 'the archive is split over several files');
  }
  if (directory.offset + directory.size !== directoryEnd) {
    throw new FileFormatError(
      file.name,
      place,
      `its directory is said to have ${directory.size} bytes from byte ${directory.offset}, but byte ${directoryEnd} follows it`,
      DAMAGED,
    );
  }
  if (directory.entries > MAX_ENTRIES || directory.size > MAX_DIRECTORY_BYTES) {
    throw new FileFormatError(
      file.name,
      place,
      `${directory.entries} entries in ${directory.size} bytes are more than the ${MAX_ENTRIES} in ${MAX_DIRECTORY_BYTES} that are read`,
    );
  }
  return directory;
}

/** From the back: the record whose comment reaches to the file's end exactly. */
function findEnd(tail: DataView): number | undefined {
  for (let at = tail.byteLength - END_BYTES; at >= 0; at--) {
    if (
      tail.getUint32(at, true) === END &&
      at + END_BYTES + tail.getUint16(at + 20, true) === tail.byteLength
    ) {
      return at;
    }
  }
  return undefined;
}

function parseDirectory(bytes: Uint8Array<ArrayBuffer>, count: number, file: string): PlacedEntry[] {
  const view = viewOf(bytes);
  const entries: PlacedEntry[] = [];
  let at = 0;
  while (at < bytes.length) {
    const place = `entry ${entries.length} of the directory`;
    const fail = (problem: string, hint?: string): never => {
      throw new FileFormatError(file, place, problem, hint);
    };
    if (bytes.length - at < CENTRAL_HEADER_BYTES || view.getUint32(at, true) !== CENTRAL_HEADER) {
      return fail('no entry begins here', DAMAGED);
    }
    const flags = view.getUint16(at + 8, true);
    const method = view.getUint16(at + 10, true);
    const nameStart = at + CENTRAL_HEADER_BYTES;
    const extraStart = nameStart + view.getUint16(at + 28, true);
    const extraEnd = extraStart + view.getUint16(at + 30, true);
    const end = extraEnd + view.getUint16(at + 32, true);
    if (end > bytes.length) return fail('it ends beyond the directory', DAMAGED);
    const name = decodeUtf8(bytes.subarray(nameStart, extraStart), file, place);
    if (!isSafePath(name)) return fail(`the name ${show(name)} is no path inside an archive`);
    if ((flags & ENCRYPTED) !== 0) return fail(`${show(name)} is encrypted`);
    if (method !== STORED) {
      return fail(
        `${show(name)} is compressed`,
        'PyTorch stores files as they are: unpack the archive and save it with torch.save',
      );
    }
    const [size = 0, packedSize = 0, offset = 0] = widened(
      [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)],
      viewOf(bytes.subarray(extraStart, extraEnd)),
    );
    if (size !== packedSize || view.getUint16(at + 34, true) !== 0) {
      return fail(
        `${show(name)} has ${size} bytes stored in ${packedSize}, or lies in another file`,
        DAMAGED,
      );
    }
    entries.push({ name, size, offset });
    at = end;
  }
  if (entries.length !== count) {
    throw new FileFormatError(
      file,
      undefined,
      `${count} entries were announced, ${entries.length} are there`,
      DAMAGED,
    );
  }
  return entries;
}

/** Where a field of 32 bits is all ones, its value is the next of 64 bits in the extra field. Too large for all checks where that lacks it. */
function widened(fields: readonly number[], extra: DataView): number[] {
  let at = 0;
  let end = 0;
  while (at + 4 <= extra.byteLength) {
    const length = extra.getUint16(at + 2, true);
    if (extra.getUint16(at, true) === EXTRA_64) {
      end = Math.min(at + 4 + length, extra.byteLength);
      at += 4;
      break;
    }
    at += 4 + length;
  }
  return fields.map((field) => {
    if (field !== 0xffffffff) return field;
    if (at + 8 > end) return Number.POSITIVE_INFINITY;
    at += 8;
    return Number(extra.getBigUint64(at - 8, true));
  });
}

/** Relative, with forward slashes, no way up, no drive. Nothing is unpacked; a name is only a key, but a wrong one tells of a trick. */
function isSafePath(name: string): boolean {
  const parts = name.replace(/\/$/, '').split('/');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused.
  return parts.every((part) => !['', '.', '..'].includes(part) && !/[\\:\u0000-\u001f]/.test(part));
}

function openEntry(file: RandomAccessFile, entry: PlacedEntry, limit: number): ZipEntry {
  const { name, size } = entry;
  let dataStart: number | undefined;
  return {
    name,
    size,
    read: async (offset, length) => {
      if (offset < 0 || length < 0 || offset + length > size) {
        throw new RangeError(`bytes ${offset} to ${offset + length} of ${name}, which has ${size}`);
      }
      dataStart ??= await findData(file, entry, limit);
      return file.read(dataStart + offset, length);
    },
  };
}

/** Behind the local header, whose extra field may differ from the directory's: PyTorch aligns the data with it. */
async function findData(file: RandomAccessFile, entry: PlacedEntry, limit: number): Promise<number> {
  const nameBytes = new TextEncoder().encode(entry.name);
  const header = await file.read(entry.offset, LOCAL_HEADER_BYTES + nameBytes.length);
  const view = viewOf(header);
  const isSame =
    view.getUint32(0, true) === LOCAL_HEADER &&
    (view.getUint16(6, true) & ENCRYPTED) === 0 &&
    view.getUint16(8, true) === STORED &&
    view.getUint16(26, true) === nameBytes.length &&
    nameBytes.every((byte, index) => header[LOCAL_HEADER_BYTES + index] === byte);
  const start = entry.offset + header.length + view.getUint16(28, true);
  if (!isSame || start + entry.size > limit) {
    throw new FileFormatError(
      file.name,
      `entry ${show(entry.name)}`,
      'its own header contradicts the directory',
      DAMAGED,
    );
  }
  return start;
}

function viewOf(bytes: Uint8Array<ArrayBuffer>): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
