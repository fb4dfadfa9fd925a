/** Writing archives as `openStoredZip` reads them (PKWARE's APPNOTE.TXT 6.3.10, section 4.3). */

const LOCAL_HEADER_BYTES = 30;
const CENTRAL_HEADER_BYTES = 46;
const END_BYTES = 22;

/** PyTorch's alignment of a file's bytes, made by an extra field that it names 'FB' and readers pass over. */
const ALIGNMENT = 64;
const PADDING_FIELD = 0x4246;
const FIELD_HEADER_BYTES = 4;

/** Version 2.0 of the format. */
const VERSION = 20;
/** Names are UTF-8. */
const FLAGS = 0x0800;
/** 1980-01-01, the first day that the format knows: the same files give the same bytes. */
const FIRST_DAY = (1 << 5) | 1;

/** What 32 bits can address. */
const MAX_BYTES = 0xffffffff;

/** The files one after the other, stored as they are. Throws RangeError beyond 4 GiB. */
export function writeStoredZip(
  files: readonly (readonly [name: string, bytes: Uint8Array])[],
): Uint8Array<ArrayBuffer> {
  let end = 0;
  const placed = files.map(([name, bytes]) => {
    const nameBytes = new TextEncoder().encode(name);
    const offset = end;
    const unpadded = offset + LOCAL_HEADER_BYTES + nameBytes.length + FIELD_HEADER_BYTES;
    const extra = FIELD_HEADER_BYTES + ((ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT);
    end = offset + LOCAL_HEADER_BYTES + nameBytes.length + extra + bytes.length;
    return { nameBytes, bytes, offset, extra, checksum: crc32(bytes) };
  });
  const directory = end;
  const directoryBytes = placed.reduce(
    (sum, { nameBytes }) => sum + CENTRAL_HEADER_BYTES + nameBytes.length,
    0,
  );
  const size = directory + directoryBytes + END_BYTES;
  if (size > MAX_BYTES || placed.length > 0xffff)
    throw new RangeError('too much for an archive without ZIP64');
  const archive = new Uint8Array(size);
  const view = new DataView(archive.buffer);
  const fields = (at: number, numbers: readonly (readonly [bytes: 2 | 4, value: number])[]): number => {
    for (const [bytes, value] of numbers) {
      if (bytes === 2) view.setUint16(at, value, true);
      else view.setUint32(at, value, true);
      at += bytes;
    }
    return at;
  };
  let central = directory;
  for (const { nameBytes, bytes, offset, extra, checksum } of placed) {
    /** What both headers share: version, flags, method, time, date, checksum, sizes, length of the name. */
    const common = [
      [2, VERSION],
      [2, FLAGS],
      [2, 0],
      [2, 0],
      [2, FIRST_DAY],
      [4, checksum],
      [4, bytes.length],
      [4, bytes.length],
      [2, nameBytes.length],
    ] as const;
    let at = fields(offset, [[4, 0x04034b50], ...common, [2, extra]]);
    archive.set(nameBytes, at);
    at = fields(at + nameBytes.length, [
      [2, PADDING_FIELD],
      [2, extra - FIELD_HEADER_BYTES],
    ]);
    archive.set(bytes, at + extra - FIELD_HEADER_BYTES);
    // Extra field, comment, disk, attributes: none.
    central = fields(central, [
      [4, 0x02014b50],
      [2, VERSION],
      ...common,
      [2, 0],
      [2, 0],
      [2, 0],
      [2, 0],
      [4, 0],
      [4, offset],
    ]);
    archive.set(nameBytes, central);
    central += nameBytes.length;
  }
  fields(central, [
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, placed.length],
    [2, placed.length],
    [4, directoryBytes],
    [4, directory],
    [2, 0],
  ]);
  return archive;
}

let table: Uint32Array | undefined;

/** The checksum of ZIP (ISO 3309, polynomial 0xEDB88320 reflected). */
function crc32(bytes: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });
  let checksum = 0xffffffff;
  for (const byte of bytes) checksum = (checksum >>> 8) ^ (table[(checksum ^ byte) & 0xff] ?? 0);
  return ~checksum >>> 0;
}
