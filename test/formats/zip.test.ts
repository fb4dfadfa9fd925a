import { describe, expect, it } from 'vitest';
import { FileFormatError } from '../../src/errors';
import { openStoredZip } from '../../src/formats/zip';
import { writeStoredZip } from '../../src/formats/zip-write';
import { bytesFile } from '../../src/platform/blob-file';
import { bytes, littleEndian } from '../support/pickle';

const open = (data: Uint8Array) => openStoredZip(bytesFile('a.zip', data));

interface Entry {
  readonly name: string;
  readonly data?: Uint8Array;
  readonly flags?: number;
  readonly method?: number;
  /** In the directory: what the entry is said to be. */
  readonly size?: number;
  readonly packedSize?: number;
  readonly offset?: number;
  readonly extra?: Uint8Array;
  readonly disk?: number;
  /** In the entry's own header. */
  readonly localName?: string;
  readonly localMethod?: number;
}

interface End {
  readonly count?: number;
  readonly directorySize?: number;
  readonly directoryOffset?: number;
  readonly disk?: number;
  /** Between directory and end. */
  readonly before?: (directoryOffset: number, directorySize: number) => Uint8Array;
  readonly comment?: Uint8Array;
}

const u16 = (value: number) => littleEndian(value, 2);
const u32 = (value: number) => littleEndian(value, 4);
const u64 = (value: number | bigint) => littleEndian(value, 8);

/** An archive in which any field may lie. */
function zip(entries: readonly Entry[], end: End = {}): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const { name, data = bytes('data'), flags = 0, method = 0, localName = name, ...entry } of entries) {
    const sizes = [u32(entry.packedSize ?? data.length), u32(entry.size ?? data.length)];
    const nameBytes = bytes(name);
    const extra = entry.extra ?? new Uint8Array(0);
    const local = bytes(
      'PK\u0003\u0004',
      u16(20),
      u16(flags),
      u16(entry.localMethod ?? method),
      new Uint8Array(8),
      ...sizes,
      u16(bytes(localName).length),
      u16(0),
      localName,
      data,
    );
    directory.push(
      bytes('PK\u0001\u0002', u16(20), u16(20), u16(flags), u16(method), new Uint8Array(8), ...sizes),
      bytes(u16(nameBytes.length), u16(extra.length), u16(0), u16(entry.disk ?? 0), new Uint8Array(6)),
      bytes(u32(entry.offset ?? at), nameBytes, extra),
    );
    parts.push(local);
    at += local.length;
  }
  const central = bytes(...directory);
  const {
    count = entries.length,
    directorySize = central.length,
    directoryOffset = at,
    comment = new Uint8Array(0),
  } = end;
  return bytes(
    ...parts,
    central,
    end.before?.(at, central.length) ?? new Uint8Array(0),
    bytes(
      'PK\u0005\u0006',
      u16(end.disk ?? 0),
      u16(0),
      u16(count),
      u16(count),
      u32(directorySize),
      u32(directoryOffset),
    ),
    bytes(u16(comment.length), comment),
  );
}

/** The two records that a ZIP64 archive has before its end. */
const end64 =
  (count: number, more: { offset?: number; locator?: number; magic?: string } = {}) =>
  (offset: number, size: number) =>
    bytes(
      more.magic ?? 'PK\u0006\u0006',
      u64(44),
      u16(45),
      u16(45),
      u32(0),
      u32(0),
      u64(count),
      u64(count),
      u64(size),
      u64(more.offset ?? offset),
      'PK\u0006\u0007',
      u32(0),
      u64(more.locator ?? offset + size),
      u32(1),
    );

describe('a ZIP archive of stored files', () => {
  it('gives its files, folders left out', async () => {
    const entries = await open(
      zip([{ name: 'a/', data: new Uint8Array(0) }, { name: 'a/one', data: bytes('abcdef') }, { name: 'ü' }]),
    );
    expect([...entries.keys()]).toEqual(['a/one', 'ü']);
    expect(entries.get('a/one')?.size).toBe(6);
    expect(await entries.get('a/one')?.read(2, 3)).toEqual(bytes('cde'));
    await expect(entries.get('a/one')?.read(2, 5)).rejects.toThrow(RangeError);
    expect((await open(zip([]))).size).toBe(0);
  });

  it('is found behind a comment, even one that looks like an end', async () => {
    const comment = bytes('PK\u0005\u0006', new Uint8Array(40));
    expect((await open(zip([{ name: 'a' }], { comment }))).size).toBe(1);
    expect((await open(zip([{ name: 'a' }], { comment: new Uint8Array(0xffff) }))).size).toBe(1);
  });

  it('of more than 32 bits has its sizes elsewhere', async () => {
    const extra = bytes(u16(0x4246), u16(1), 0, u16(1), u16(24), u64(4), u64(4), u64(0));
    const large = { name: 'a', size: 0xffffffff, packedSize: 0xffffffff, offset: 0xffffffff, extra };
    const entries = await open(
      zip([large], {
        count: 0xffff,
        directorySize: 0xffffffff,
        directoryOffset: 0xffffffff,
        before: end64(1),
      }),
    );
    expect(await entries.get('a')?.read(0, 4)).toEqual(bytes('data'));
  });

  it('is written aligned, to the same bytes each time', async () => {
    const files = [
      ['a', bytes('one')],
      ['b/ü', new Uint8Array(100).fill(7)],
      ['c', new Uint8Array(0)],
    ] as const;
    const archive = writeStoredZip(files);
    expect(writeStoredZip(files)).toEqual(archive);
    const entries = await open(archive);
    for (const [name, data] of files) expect(await entries.get(name)?.read(0, data.length)).toEqual(data);
    const at = archive.findIndex((_, index) =>
      archive.subarray(index, index + 3).every((byte, i) => byte === bytes('one')[i]),
    );
    expect(at % 64).toBe(0);
  });

  const one = { name: 'a' };
  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /the end of a ZIP archive was not found/],
    ['no end', zip([one]).slice(0, -1), /the end of a ZIP archive was not found/],
    ['a compressed file', zip([{ name: 'a', method: 8 }]), /"a" is compressed/],
    ['an encrypted file', zip([{ name: 'a', flags: 1 }]), /"a" is encrypted/],
    ['an encrypted directory', zip([{ name: 'a', flags: 0x2000 }]), /"a" is encrypted/],
    ['a name that occurs twice', zip([one, one]), /entry "a": the name occurs twice/],
    ...['../a', 'a/../b', '/a', 'a//b', './a', 'a\\b', 'C:a', 'a\u0000', '..', ''].map(
      (name): [string, Uint8Array, RegExp] => [
        `the name ${JSON.stringify(name)}`,
        zip([{ name }]),
        /is no path inside/,
      ],
    ),
    ['sizes that differ', zip([{ name: 'a', size: 5 }]), /has 5 bytes stored in 4/],
    ['a file in another part', zip([{ name: 'a', disk: 1 }]), /lies in another file/],
    [
      'files in one place',
      zip([
        { name: 'a', offset: 0 },
        { name: 'b', offset: 0 },
      ]),
      /its bytes overlap others/,
    ],
    [
      'a file that reaches into the next',
      zip([{ name: 'a', size: 40, packedSize: 40 }, { name: 'b' }]),
      /"a": its bytes overlap/,
    ],
    [
      'a file that reaches into the directory',
      zip([{ name: 'a', size: 5, packedSize: 5 }]),
      /"a": its bytes overlap/,
    ],
    ['a file of 4 GiB', zip([{ name: 'a', size: 0xfffffffe, packedSize: 0xfffffffe }]), /its bytes overlap/],
    ['a file beyond the end', zip([{ name: 'a', offset: 5000 }]), /its bytes overlap/],
    [
      'a size that should be elsewhere',
      zip([{ name: 'a', size: 0xffffffff, packedSize: 0xffffffff }]),
      /overlap/,
    ],
    ['more entries announced', zip([one], { count: 2 }), /2 entries were announced, 1 are there/],
    ['a directory of another size', zip([one], { directorySize: 46 }), /is said to have 46 bytes from/],
    ['a directory elsewhere', zip([one], { directoryOffset: 3 }), /from byte 3/],
    ['a part of several', zip([one], { disk: 1 }), /split over several files/],
    [
      'bytes that are no entry',
      zip([one], { directorySize: 57, before: () => new Uint8Array(10) }),
      /entry 1 of the directory: no entry begins here/,
    ],
    ['a locator to nowhere', zip([one], { before: end64(1, { locator: 0 }) }), /points to no end of a ZIP64/],
    [
      'a locator to something else',
      zip([one], { before: end64(1, { magic: 'abcd' }) }),
      /no end of a ZIP64 archive is here/,
    ],
    ['a directory at 2^63', zip([one], { before: end64(1, { offset: 2 ** 63 }) }), /from byte \d{19},/],
    ['too many entries', zip([one], { before: end64(30_000) }), /30000 entries in .* more than the 20000/],
  ])('is refused with %s', async (_, data, message) => {
    await expect(open(data)).rejects.toThrow(FileFormatError);
    await expect(open(data)).rejects.toThrow(message);
  });

  it.each([
    ['name', { name: 'a', localName: 'b' }],
    ['longer name', { name: 'a', localName: 'ab' }],
    ['method', { name: 'a', localMethod: 8 }],
  ])('whose entry has another %s in its own header is refused when that is read', async (_, entry) => {
    const entries = await open(zip([entry]));
    await expect(entries.get('a')?.read(0, 4)).rejects.toThrow(/entry "a": its own header contradicts/);
  });
});
