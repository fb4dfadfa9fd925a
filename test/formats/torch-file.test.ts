import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FileFormatError, GraftError, OptionError } from '../../src/errors';
import { openSafetensors } from '../../src/formats/safetensors';
import type { TensorFile } from '../../src/formats/tensor-file';
import { openTorchFile } from '../../src/formats/torch-file';
import { writeTorchFile } from '../../src/formats/torch-write';
import { writeStoredZip } from '../../src/formats/zip-write';
import { openCheckpoint } from '../../src/models/checkpoint';
import { encoderTensors } from '../../src/models/encoder-tensors';
import { bytesFile } from '../../src/platform/blob-file';
import { directorySource } from '../../src/platform/directory';
import { goldenPath } from '../support/checkpoint';
import { bytes, int, littleEndian, pickle, stateDict, tensor, unicode } from '../support/pickle';

const golden = (file: string) => new Uint8Array(readFileSync(goldenPath('torch', file)));
const open = (data: Uint8Array, name = 'w.bin') => openTorchFile(bytesFile(name, data));

async function readAll(file: TensorFile): Promise<Map<string, Float32Array>> {
  const all = new Map<string, Float32Array>();
  for (const name of file.names()) {
    if (/^(F|BF)/.test(file.info(name)?.dtype ?? '')) all.set(name, await file.readFloat32(name));
  }
  return all;
}

/** An archive of torch.save with this pickle and storage "0" of two floats. */
function archive(data: Uint8Array, ...more: [string, Uint8Array][]): Uint8Array<ArrayBuffer> {
  return writeStoredZip([['archive/data.pkl', data], ['archive/data/0', new Uint8Array(8)], ...more]);
}

/** An old file: magic number, version, machine, state dict, keys, storages. */
function legacy(
  data: Uint8Array,
  keys = bytes(']', unicode('0'), 'a'),
  storages = bytes(littleEndian(2, 8), new Uint8Array(8)),
) {
  const magic = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
  const machine = pickle('}', unicode('little_endian'), 0x88, 's');
  return bytes(pickle(0x8a, 10, ...magic), pickle(int(1001)), machine, data, pickle(keys), storages);
}

describe('a file of torch.save', () => {
  it.each(['zip.bin', 'protocol_4.bin', 'legacy.bin'])('%s is read as PyTorch does', async (name) => {
    const expectedFile = await openSafetensors(bytesFile('e', golden('expected.safetensors')));
    const expected = await readAll(expectedFile);
    const file = await open(golden(name), name);
    expect(await readAll(file)).toEqual(expected);
    expect(expected.size).toBe(15);
    for (const tensorName of expected.keys()) {
      expect(file.info(tensorName)?.shape, tensorName).toEqual(expectedFile.info(tensorName)?.shape);
    }
    // In the file's order; what is no tensor is passed over.
    expect(file.names().slice(0, 3)).toEqual(['plain', 'scalar', 'empty']);
    expect(file.names()).not.toContain('epoch');
    expect(file.info('half')).toMatchObject({ dtype: 'F16', shape: [7], byteLength: 14 });
    expect(file.info('bfloat')).toMatchObject({ dtype: 'BF16', shape: [3, 2], byteLength: 12 });
    expect(file.info('double')).toMatchObject({ dtype: 'F64', shape: [2, 2], byteLength: 32 });
    expect(file.info('ids')).toMatchObject({ dtype: 'I64', shape: [1, 5], byteLength: 40 });
    expect(file.info('mask')?.dtype).toBe('BOOL');
    await expect(file.readFloat32('ids')).rejects.toThrow(/tensor "ids": dtype I64 cannot be read/);
    await expect(file.readFloat32('other')).rejects.toThrow(FileFormatError);
    await file.close();
  });

  it('is read by ranges, and closed where it is refused', async () => {
    const data = writeTorchFile([
      { name: 'a', shape: [100_000], data: new Float32Array(100_000).fill(1) },
      { name: 'b', shape: [3], data: Float32Array.of(1, 2, 3) },
    ]);
    let read = 0;
    let closed = 0;
    const watched = (content: Uint8Array) => {
      const inner = bytesFile('w.bin', content);
      return {
        ...inner,
        read: (offset: number, length: number) => {
          read += length;
          return inner.read(offset, length);
        },
        close: async () => {
          closed++;
        },
      };
    };
    const file = await openTorchFile(watched(data));
    expect(await file.readFloat32('b')).toEqual(Float32Array.of(1, 2, 3));
    // The directory is looked for in the last 64 KiB.
    expect(read).toBeLessThan(80_000);
    expect(closed).toBe(0);
    await expect(openTorchFile(watched(archive(pickle('N'))))).rejects.toThrow(FileFormatError);
    expect(closed).toBe(1);
  });

  it.each(['bin', 'bin_sharded'])('holds a checkpoint: %s', async (name) => {
    const checkpoint = await openCheckpoint(directorySource(goldenPath('torch', name)));
    const expected = await openCheckpoint(directorySource(goldenPath('checkpoints', 'prefixed_old_names')));
    const tensors = encoderTensors(checkpoint.config);
    expect(tensors).toHaveLength(5 + 2 * 16);
    for (const { name: tensorName } of tensors) {
      expect(await checkpoint.read(tensorName), tensorName).toEqual(await expected.read(tensorName));
    }
    expect(checkpoint.hasPooler).toBe(true);
    await checkpoint.close();
    await expected.close();
  });

  it('is written so that it can be read', async () => {
    const tensors = [
      { name: 'a.weight', shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, 1e-40, 6) },
      { name: 'none', shape: [0, 4], data: new Float32Array(0) },
      { name: 'ü', shape: [], data: Float32Array.of(7) },
    ];
    const file = await open(writeTorchFile(tensors));
    expect(file.names()).toEqual(['a.weight', 'none', 'ü']);
    for (const { name, shape, data } of tensors) {
      expect(file.info(name)).toMatchObject({ dtype: 'F32', shape });
      expect(await file.readFloat32(name)).toEqual(data);
    }
    const halves = await open(writeTorchFile(tensors, 'F16'));
    expect(halves.info('a.weight')).toMatchObject({ dtype: 'F16', byteLength: 12 });
    expect(await halves.readFloat32('a.weight')).toEqual(Float32Array.of(1, -2, 3.5, 0, 0, 6));
    const large = [{ name: 'a', shape: [2], data: Float32Array.of(1, 65_505) }];
    expect(() => writeTorchFile(large, 'F16')).toThrow(OptionError);
    expect(() => writeTorchFile(large, 'F16')).toThrow(/element 1 of a is 65505/);
  });

  it('of a whole module is refused, and the message says how to convert it', async () => {
    const opening = open(golden('whole_module.bin'));
    await expect(opening).rejects.toThrow(/the global "torch.nn.modules.linear.Linear" is refused/);
    await expect(opening).rejects.toThrow(/safetensors.torch.save_file/);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /neither a ZIP archive nor a pickle/],
    [
      'some text',
      bytes('version https://git-lfs.github.com/spec/v1\n'),
      /neither a ZIP archive nor a pickle/,
    ],
    ['a bare pickle', stateDict(), /neither a ZIP archive nor a pickle of torch.save/],
    ['an archive of something else', writeStoredZip([['a.txt', bytes('a')]]), /0 files named data.pkl/],
    ['two pickles', archive(stateDict(), ['b/data.pkl', stateDict()]), /2 files named data.pkl/],
    [
      'bytes the other way round',
      archive(stateDict(), ['archive/byteorder', bytes('big')]),
      /order of bytes is "big"/,
    ],
    ['a list', archive(pickle(']')), /a state dict was expected, found a list of 0/],
    ['a tensor alone', archive(pickle(tensor())), /a state dict was expected, found a tensor/],
    ['no tensor', archive(pickle('}', unicode('a'), int(1), 's')), /holds no tensor/],
    [
      'a storage that is not there',
      archive(stateDict(tensor({ key: '1' }))),
      /entry "archive\/data\/1": 8 bytes were expected, found nothing/,
    ],
    [
      'a storage with a path',
      archive(stateDict(tensor({ key: '../data.pkl' }))),
      /data\/..\/data.pkl": 8 bytes/,
    ],
    [
      'a storage of another length',
      archive(stateDict(tensor({ length: 3 }))),
      /12 bytes were expected, found 8/,
    ],
    [
      'an old file without its storages',
      legacy(stateDict(), undefined, new Uint8Array(0)),
      /ends before byte/,
    ],
    [
      'an old file that is cut off',
      legacy(stateDict(), undefined, bytes(littleEndian(2, 8), 'abc')),
      /2 are announced, 3 bytes follow/,
    ],
    [
      'an old file that announces more',
      legacy(stateDict(), undefined, bytes(littleEndian(2n ** 60n, 8), 'abc')),
      /1152921504606846976 are announced/,
    ],
    [
      'an old file with a storage twice',
      legacy(stateDict(), bytes(']', unicode('0'), 'a', unicode('0'), 'a')),
      /occurs twice/,
    ],
    [
      'an old file with a storage of no tensor',
      legacy(stateDict(), bytes(']', unicode('1'), 'a')),
      /no tensor has it/,
    ],
    [
      'an old file without storages',
      legacy(stateDict(), bytes(']')),
      /2 elements were expected, found nothing/,
    ],
    ['an old file with keys that are no list', legacy(stateDict(), bytes('N')), /a list of at most/],
    ['an old file of another version', legacy(stateDict()).with(18, 0), /of another version/],
  ])('is refused with %s', async (_, data, message) => {
    await expect(open(data)).rejects.toThrow(GraftError);
    await expect(open(data)).rejects.toThrow(message);
  });
});
