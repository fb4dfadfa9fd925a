import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileFormatError, GraftError, OptionError } from '../../src/errors';
import { openSafetensors, writeSafetensors } from '../../src/formats/safetensors';
import { readFiniteFloat32 } from '../../src/formats/tensor-file';
import { blobSource } from '../../src/platform/blobs';
import { directorySource } from '../../src/platform/directory';
import type { RandomAccessFile } from '../../src/platform/files';

const GOLDEN = new URL('../golden/checkpoints/', import.meta.url).pathname;

async function memoryFile(bytes: Uint8Array): Promise<RandomAccessFile> {
  const file = await blobSource({ 'm.safetensors': bytes }).open('m.safetensors');
  if (file === undefined) throw new Error('the file was just given');
  return file;
}

async function open(bytes: Uint8Array) {
  return openSafetensors(await memoryFile(bytes));
}

/** A file with any header, however wrong. */
function withHeader(header: string | object, dataBytes = 0, headerLength?: bigint): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, headerLength ?? BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

const f32 = (shape: unknown, data_offsets: unknown) => ({ dtype: 'F32', shape, data_offsets });

describe('safetensors', () => {
  it('reads what it writes, in order, with metadata', async () => {
    const bytes = writeSafetensors(
      [
        { name: 'b', shape: [2, 3], data: Float32Array.from([1, -2, 3.5, 0, 1e-40, 6]) },
        { name: 'none', shape: [0, 7], data: new Float32Array(0) },
        { name: 'a "quoted" ü', shape: [], data: Float32Array.from([7]) },
      ],
      { metadata: { format: 'pt' } },
    );
    const file = await open(bytes);
    expect(file.names()).toEqual(['b', 'none', 'a "quoted" ü']);
    expect(file.metadata).toEqual({ format: 'pt' });
    expect(file.info('b')).toMatchObject({ dtype: 'F32', shape: [2, 3], byteLength: 24 });
    expect(file.info('c')).toBeUndefined();
    expect(await file.readFloat32('b')).toEqual(Float32Array.from([1, -2, 3.5, 0, 1e-40, 6]));
    expect(await file.readFloat32('none')).toEqual(new Float32Array(0));
    expect(await file.readFloat32('a "quoted" ü')).toEqual(Float32Array.from([7]));
    const headerLength = new DataView(bytes.buffer).getBigUint64(0, true);
    expect(headerLength % 8n).toBe(0n);
  });

  it('refuses to write a tensor that contradicts its shape, or a name twice', () => {
    const data = new Float32Array(3);
    expect(() => writeSafetensors([{ name: 'a', shape: [2], data }])).toThrow(RangeError);
    const tensor = { name: 'a', shape: [3], data };
    expect(() => writeSafetensors([tensor, tensor])).toThrow(RangeError);
  });

  it('reads F64 as the nearest f32, at any offset', async () => {
    for (const padding of ['', ' ', '   ']) {
      const header = { a: { dtype: 'F64', shape: [2], data_offsets: [0, 16] } };
      const bytes = withHeader(JSON.stringify(header) + padding, 16);
      const view = new DataView(bytes.buffer);
      view.setFloat64(bytes.length - 16, 0.1, true);
      view.setFloat64(bytes.length - 8, 1e300, true);
      const file = await open(bytes);
      expect(await file.readFloat32('a')).toEqual(
        Float32Array.of(Math.fround(0.1), Number.POSITIVE_INFINITY),
      );
      await expect(readFiniteFloat32(file, 'a')).rejects.toThrow(/element 1: Infinity/);
    }
  });

  it('writes F16, where every number fits', async () => {
    const tensor = { name: 'a', shape: [3], data: Float32Array.of(0.1, -65504, 1e-8) };
    const file = await open(writeSafetensors([tensor], { dtype: 'F16' }));
    expect(file.info('a')).toEqual(expect.objectContaining({ dtype: 'F16', byteLength: 6 }));
    expect(await file.readFloat32('a')).toEqual(Float32Array.of(0.0999755859375, -65504, 0));
    for (const value of [65505, Number.POSITIVE_INFINITY, Number.NaN]) {
      const data = Float32Array.of(0, value, 0);
      expect(() => writeSafetensors([{ ...tensor, data }], { dtype: 'F16' })).toThrow(OptionError);
    }
  });

  it.each(['f16', 'bf16'])('reads %s as PyTorch converts it', async (type) => {
    const source = directorySource(`${GOLDEN}${type}`);
    const file = await source.open('model.safetensors');
    const expectedFile = await source.open('expected_f32.safetensors');
    if (file === undefined || expectedFile === undefined) throw new Error('fixture missing');
    const halves = await openSafetensors(file);
    const expected = await openSafetensors(expectedFile);
    expect(halves.names().sort()).toEqual(expected.names().sort());
    expect(halves.names().length).toBeGreaterThan(30);
    for (const name of halves.names()) {
      expect(halves.info(name)?.dtype).toBe(type.toUpperCase());
      expect(await halves.readFloat32(name), name).toEqual(await expected.readFloat32(name));
    }
    await halves.close();
    await expected.close();
  });

  it('reads zeros, subnormals, infinities and NaN as PyTorch does', async () => {
    const special = directorySource(`${GOLDEN}special_values`);
    const halves = await openSafetensors(
      (await special.open('halves.safetensors')) ?? (await memoryFile(new Uint8Array())),
    );
    const expected = await openSafetensors(
      (await special.open('expected_f32.safetensors')) ?? (await memoryFile(new Uint8Array())),
    );
    for (const name of ['f16', 'bf16']) {
      expect(await halves.readFloat32(name)).toEqual(await expected.readFloat32(name));
    }
    await halves.close();
    await expected.close();
  });

  it('reads data at any offset', async () => {
    const header = {
      a: { dtype: 'U8', shape: [1], data_offsets: [0, 1] },
      b: f32([2], [1, 9]),
      c: { dtype: 'BF16', shape: [1], data_offsets: [9, 11] },
    };
    for (const padding of ['', ' ', '  ', '   ']) {
      const bytes = withHeader(JSON.stringify(header) + padding, 11);
      const dataStart = bytes.length - 11;
      new DataView(bytes.buffer).setFloat32(dataStart + 1, 1.5, true);
      new DataView(bytes.buffer).setFloat32(dataStart + 5, -2, true);
      new DataView(bytes.buffer).setUint16(dataStart + 9, 0x3f80, true);
      const file = await open(bytes);
      expect(await file.readFloat32('b')).toEqual(Float32Array.from([1.5, -2]));
      expect(await file.readFloat32('c')).toEqual(Float32Array.from([1]));
    }
  });

  it('lists tensors of other types, and refuses to read them as floats', async () => {
    const file = await open(withHeader({ ids: { dtype: 'I64', shape: [1, 2], data_offsets: [0, 16] } }, 16));
    expect(file.info('ids')).toMatchObject({ dtype: 'I64', shape: [1, 2] });
    await expect(file.readFloat32('ids')).rejects.toThrow(/tensor "ids": dtype I64/);
    await expect(file.readFloat32('other')).rejects.toThrow(FileFormatError);
  });

  const deep = '['.repeat(200_000);
  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /0 bytes are too few/],
    ['no header', new Uint8Array(7), /7 bytes are too few/],
    ['a header of 1 TB', withHeader('{}', 0, 1n << 40n), /1099511627776 bytes long, but the file has 10/],
    ['a header of 2^64 - 1 bytes', withHeader('{}', 0, (1n << 64n) - 1n), /18446744073709551615 bytes long/],
    ['a header beyond the end', withHeader('{}', 0, 3n), /header is said to be 3 bytes/],
    ['a header beyond the limit', withHeader('{}', 1 << 25, 1n << 25n), /longer than the 16777216/],
    ['an empty header', withHeader(''), /not valid JSON/],
    ['a header that is a list', withHeader('[]'), /object was expected/],
    ['a header that is deeply nested', withHeader(deep), /not valid JSON/],
    ['a header that is not UTF-8', Uint8Array.from([2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff]), /not valid UTF-8/],
    ['metadata that is no object', withHeader({ __metadata__: 1 }), /__metadata__: an object/],
    ['metadata that is no text', withHeader({ __metadata__: { a: 1 } }), /__metadata__, "a": a string/],
    ['a tensor that is no object', withHeader({ a: 1 }), /tensor "a": an object/],
    ['an unknown dtype', withHeader({ a: { dtype: 'F12', shape: [], data_offsets: [0, 0] } }), /dtype "F12"/],
    [
      'an inherited dtype',
      withHeader({ a: { dtype: 'toString', shape: [], data_offsets: [0, 0] } }),
      /dtype/,
    ],
    ['no dtype', withHeader({ a: { shape: [], data_offsets: [0, 0] } }), /unknown dtype nothing/],
    ['a negative size', withHeader({ a: f32([-1], [0, 0]) }), /shape of non-negative/],
    ['a fractional size', withHeader({ a: f32([0.5], [0, 0]) }), /shape of non-negative/],
    ['a size as text', withHeader({ a: f32(['1'], [0, 4]) }, 4), /shape of non-negative/],
    ['no shape', withHeader({ a: f32(undefined, [0, 0]) }), /shape of non-negative/],
    [
      'too many dimensions',
      withHeader({ a: f32(new Array(17).fill(1), [0, 4]) }, 4),
      /shape of non-negative/,
    ],
    [
      'a product beyond all numbers',
      withHeader({ a: f32(new Array(16).fill(2 ** 52), [0, 4]) }, 4),
      /does not fill/,
    ],
    ['a shape that wraps in 64 bits', withHeader({ a: f32([2 ** 32, 2 ** 32], [0, 0]) }), /does not fill/],
    ['three offsets', withHeader({ a: f32([1], [0, 4, 8]) }, 8), /data_offsets \[begin, end\]/],
    ['offsets backwards', withHeader({ a: f32([1], [4, 0]) }, 4), /outside/],
    ['offsets outside the file', withHeader({ a: f32([1], [0, 4]) }, 3), /outside the file's 3 bytes/],
    ['offsets far outside the file', withHeader({ a: f32([1], [2 ** 50, 2 ** 50 + 4]) }, 4), /outside/],
    [
      'a shape that is larger than its bytes',
      withHeader({ a: f32([2], [0, 4]) }, 4),
      /does not fill the 4 bytes/,
    ],
    ['overlap', withHeader({ a: f32([2], [0, 8]), b: f32([1], [4, 8]) }, 8), /tensor "b": its bytes overlap/],
    ['the same bytes twice', withHeader({ a: f32([1], [0, 4]), b: f32([1], [0, 4]) }, 4), /overlap/],
    ['a gap', withHeader({ a: f32([1], [0, 4]), b: f32([1], [8, 12]) }, 12), /4 bytes before it/],
    ['bytes at the end', withHeader({ a: f32([1], [0, 4]) }, 5), /1 bytes at its end/],
    [
      'a name twice',
      withHeader(
        '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
      ),
      /twice/,
    ],
  ])('refuses %s', async (_, bytes, message) => {
    const promise = open(bytes);
    await expect(promise).rejects.toThrow(FileFormatError);
    await expect(promise).rejects.toThrow(message);
  });

  it('asks the file for nothing that a lying header claims', async () => {
    const reads: number[] = [];
    const bytes = withHeader('{}', 0, 1n << 40n);
    const inner = await memoryFile(bytes);
    let closed = false;
    const watched: RandomAccessFile = {
      ...inner,
      read: (offset, length) => {
        reads.push(length);
        return inner.read(offset, length);
      },
      close: async () => {
        closed = true;
      },
    };
    await expect(openSafetensors(watched)).rejects.toThrow(FileFormatError);
    expect(reads).toEqual([8]);
    expect(closed).toBe(true);
  });

  it('meets mutated files with typed errors only', async () => {
    const sound = new Uint8Array(readFileSync(`${GOLDEN}f16/model.safetensors`));
    const headerEnd = 8 + Number(new DataView(sound.buffer).getBigUint64(0, true));
    let refused = 0;
    const mutation = fc.record({
      at: fc.nat(headerEnd - 1),
      byte: fc.nat(255),
      cut: fc.option(fc.nat(sound.length), { freq: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async (mutations) => {
        let bytes = sound.slice();
        for (const { at, byte, cut } of mutations) {
          if (at < bytes.length) bytes[at] = byte;
          if (cut !== null) bytes = bytes.slice(0, cut);
        }
        try {
          const file = await open(bytes);
          let held = 0;
          for (const name of file.names()) {
            held += file.info(name)?.byteLength ?? 0;
            await file.readFloat32(name).catch((error: unknown) => {
              if (!(error instanceof GraftError)) throw error;
            });
          }
          expect(held).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          if (!(error instanceof GraftError)) throw error;
          refused++;
        }
      }),
      { numRuns: 3000, seed: 1 },
    );
    expect(refused).toBeGreaterThan(1000);
  });

  it('meets random headers with typed errors only', async () => {
    const number = fc.oneof(fc.nat(64), fc.double(), fc.constantFrom(-1, 2 ** 53, 2 ** 60, 1e308));
    const entry = fc.oneof(
      {
        arbitrary: fc.record({
          dtype: fc.constantFrom('F32', 'F16', 'I64', 'F4', 'F6_E2M3', 'X'),
          shape: fc.array(number, { maxLength: 4 }),
          data_offsets: fc.array(number, { maxLength: 3 }),
        }),
        weight: 5,
      },
      { arbitrary: fc.jsonValue(), weight: 1 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string(), entry, { maxKeys: 5 }),
        fc.nat(128),
        async (header, dataBytes) => {
          await open(withHeader(header, dataBytes)).catch((error: unknown) => {
            if (!(error instanceof GraftError)) throw error;
          });
        },
      ),
      { numRuns: 3000, seed: 2 },
    );
  });
});
