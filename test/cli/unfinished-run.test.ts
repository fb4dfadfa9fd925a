import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf, type RunSettings, UnfinishedRun } from '../../src/cli/unfinished-run';
import { FileFormatError, OptionError } from '../../src/index';

let out = '';
beforeEach(() => {
  out = join(mkdtempSync(join(tmpdir(), 'graft-run-')), 'out');
});
afterEach(() => rmSync(join(out, '..'), { recursive: true }));

const settings: RunSettings = { '--epochs': 3, '--patience': null, '--train': 'digest', '--dropout': 'auto' };

async function interrupted(): Promise<void> {
  const run = await UnfinishedRun.open(out, settings, false);
  await run.begin();
  await run.save(new Uint8Array([1, 2, 3]));
}

describe('an unfinished run', () => {
  it('is not there at first, and nothing is made by looking', async () => {
    expect((await UnfinishedRun.open(out, settings, true)).state).toBeUndefined();
    expect(existsSync(out)).toBe(false);
  });

  it('is resumed with the same options', async () => {
    await interrupted();
    const run = await UnfinishedRun.open(out, settings, true);
    expect(Array.from(run.state ?? [])).toEqual([1, 2, 3]);
  });

  it('is not overwritten unasked', async () => {
    await interrupted();
    await expect(UnfinishedRun.open(out, settings, false)).rejects.toThrow(
      /--out: .*unfinished run.*--resume/,
    );
  });

  it('is started anew where no state had been saved', async () => {
    await (await UnfinishedRun.open(out, settings, false)).begin();
    expect((await UnfinishedRun.open(out, settings, false)).state).toBeUndefined();
  });

  it.each([
    [{ '--epochs': 4 }, '--epochs: is 4, and the unfinished run began with 3'],
    [{ '--patience': 2 }, '--patience: is 2, and the unfinished run began with not given'],
    [{ '--dropout': 0 }, '--dropout: is 0, and the unfinished run began with auto'],
    [{ '--train': 'other' }, '--train: the examples are not those'],
  ])('refuses other options: %j', async (change, message) => {
    await interrupted();
    const open = UnfinishedRun.open(out, { ...settings, ...change }, true);
    await expect(open).rejects.toThrow(OptionError);
    await expect(open).rejects.toThrow(message);
  });

  it.each(['', 'null', '{"version":2,"settings":{}}', '{"version":1,"settings":null}'])(
    'refuses a record that is %j',
    async (record) => {
      await interrupted();
      writeFileSync(join(out, 'checkpoint.json'), record);
      await expect(UnfinishedRun.open(out, settings, true)).rejects.toThrow(FileFormatError);
    },
  );

  it('refuses a state without a record', async () => {
    await interrupted();
    rmSync(join(out, 'checkpoint.json'));
    await expect(UnfinishedRun.open(out, settings, true)).rejects.toThrow(/checkpoint\.json: is missing/);
  });

  it('leaves nothing behind when cleared, not even what a killed process was writing', async () => {
    await interrupted();
    writeFileSync(join(out, 'checkpoint.graft.123.tmp'), 'half');
    writeFileSync(join(out, 'adapter.safetensors'), 'kept');
    await (await UnfinishedRun.open(out, settings, true)).clear();
    expect(readdirSync(out)).toEqual(['adapter.safetensors']);
  });
});

describe('the digest of the data', () => {
  it('changes with text, pair, label and order', () => {
    const a = { text: 'a', label: '1' };
    const b = { text: 'b', label: '1' };
    const sets = [[a, b], [b, a], [a], [{ ...a, pair: 'b' }], [{ ...a, label: '2' }], [{ ...a, label: 1 }]];
    expect(new Set(sets.map(digestOf)).size).toBe(sets.length);
    expect(digestOf([{ ...a }])).toBe(digestOf([a]));
  });
});
