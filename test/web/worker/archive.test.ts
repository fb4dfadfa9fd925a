import fc from 'fast-check';
import { zipSync } from 'fflate';
import { DataError, FileFormatError } from 'graft-ml';
import { describe, expect, it } from 'vitest';
import { packAdapter, unpackAdapter } from '../../../examples/web/src/worker/archive';

const bytes = (text: string) => new TextEncoder().encode(text);
const files = { 'adapter_config.json': bytes('{}'), 'adapter.safetensors': Uint8Array.from([1, 2, 3]) };
const backbone = { description: 'graft-mini', fingerprint: 'f00d' };
const zipFile = (content: Uint8Array<ArrayBuffer>) => new File([content], 'task.zip');

describe("an adapter's zip", () => {
  it('comes back as it was, with its backbone', async () => {
    expect(await unpackAdapter([zipFile(packAdapter(files, backbone))])).toEqual({ files, backbone });
  });

  it('may have a folder around, as one that was zipped by hand; loose files do as well', async () => {
    const folder = { 'my task': files, '__MACOSX/._x': bytes('junk') };
    const zipped = Uint8Array.from(zipSync(folder));
    expect(await unpackAdapter([zipFile(zipped)])).toEqual({ files, backbone: undefined });
    const loose = Object.entries(files).map(([name, content]) => new File([content], name));
    expect((await unpackAdapter(loose)).files).toEqual(files);
  });

  it('that is damaged or holds a name twice is refused', async () => {
    await expect(unpackAdapter([zipFile(bytes('no zip at all'))])).rejects.toThrow(FileFormatError);
    const twice = Uint8Array.from(zipSync({ a: { x: bytes('1') }, b: { x: bytes('2') } }));
    await expect(unpackAdapter([zipFile(twice)])).rejects.toThrow('is there twice');
    const whole = packAdapter(files, backbone);
    for (let end = 0; end < whole.length; end += 7) {
      await expect(unpackAdapter([zipFile(whole.slice(0, end))])).rejects.toThrow(FileFormatError);
    }
  });

  it('damaged anywhere is refused, or read', async () => {
    const whole = packAdapter(files, backbone);
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (at, value) => {
        const damaged = whole.slice();
        damaged[at] = value;
        const error = await unpackAdapter([zipFile(damaged)]).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        if (error === undefined) return;
        refused += 1;
        expect(error instanceof FileFormatError || error instanceof DataError).toBe(true);
      }),
      { numRuns: 1000 },
    );
    expect(refused).toBeGreaterThan(50);
  });

  it('that says it holds gigabytes, or many files, is refused before it is unpacked', async () => {
    const zipped = packAdapter(files, backbone);
    const view = new DataView(zipped.buffer);
    // The size of an entry in the central directory: 24 bytes after its signature.
    for (let i = 0; i + 28 < zipped.length; i++) {
      if (view.getUint32(i, true) === 0x02014b50) view.setUint32(i + 24, 0x7fffffff, true);
    }
    await expect(unpackAdapter([zipFile(zipped)])).rejects.toThrow(DataError);
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`f${i}`, bytes('x')]));
    await expect(unpackAdapter([zipFile(Uint8Array.from(zipSync(many)))])).rejects.toThrow(
      'more than 64 files',
    );
  });

  it('that says less than it holds gives no more than it said', async () => {
    const big = { 'adapter.safetensors': new Uint8Array(1_000_000) };
    const zipped = Uint8Array.from(zipSync(big));
    const view = new DataView(zipped.buffer);
    for (let i = 0; i + 28 < zipped.length; i++) {
      if (view.getUint32(i, true) === 0x02014b50) view.setUint32(i + 24, 1000, true);
    }
    const unpacked = await unpackAdapter([zipFile(zipped)]).catch((error: unknown) => error);
    if (unpacked instanceof Error) expect(unpacked).toBeInstanceOf(FileFormatError);
    else expect(JSON.stringify(unpacked).length).toBeLessThan(20_000);
  });
});
