import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileWriteError } from '../../src/errors';
import { directoryCache } from '../../src/platform/cache';
import { writeFileAtomic, writeFilesAtomic } from '../../src/platform/write';
import { sendFile, serve } from '../support/http';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'graft-write-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const bytes = (text: string) => new TextEncoder().encode(text);

describe('writeFileAtomic', () => {
  it('writes and replaces, and leaves nothing else', async () => {
    const path = join(directory, 'a');
    await writeFileAtomic(path, bytes('one'));
    await writeFileAtomic(path, bytes('two'));
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(readdirSync(directory)).toEqual(['a']);
  });

  it('is a typed error where the directory is missing or the target is a directory', async () => {
    await expect(writeFileAtomic(join(directory, 'no', 'a'), bytes('x'))).rejects.toThrow(FileWriteError);
    mkdirSync(join(directory, 'sub'));
    await expect(writeFileAtomic(join(directory, 'sub'), bytes('x'))).rejects.toThrow(FileWriteError);
    expect(readdirSync(directory)).toEqual(['sub']);
  });
});

describe('writeFilesAtomic', () => {
  it('makes the directory and writes all files', async () => {
    const target = join(directory, 'new', 'deep');
    await writeFilesAtomic(target, { a: bytes('1'), b: bytes('2') });
    expect(readdirSync(target).sort()).toEqual(['a', 'b']);
    expect(readFileSync(join(target, 'b'), 'utf8')).toBe('2');
  });

  it('is a typed error where a file stands in the place of the directory', async () => {
    writeFileSync(join(directory, 'file'), '');
    await expect(writeFilesAtomic(join(directory, 'file'), { a: bytes('1') })).rejects.toThrow(
      FileWriteError,
    );
  });
});

/** A file system of 64 KiB; only root on Linux can make one. */
const small = mkdtempSync(join(tmpdir(), 'graft-full-disk-'));
const mounted =
  process.platform === 'linux' &&
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small]).status === 0;
afterAll(() => {
  if (mounted) execFileSync('umount', [small]);
  rmSync(small, { recursive: true });
});
const reason = mounted ? '' : ' (skipped: a small file system could not be mounted)';

describe.skipIf(!mounted)(`on a full disk${reason}`, () => {
  it('no file is changed and none is left over', async () => {
    await writeFilesAtomic(small, { a: bytes('old a'), b: bytes('old b') });
    const promise = writeFilesAtomic(small, { a: bytes('new a'), b: new Uint8Array(100_000) });
    await expect(promise).rejects.toThrow(FileWriteError);
    await expect(promise).rejects.toThrow(/b: cannot be written: no space left on the disk \(ENOSPC\)/);
    expect(readFileSync(join(small, 'a'), 'utf8')).toBe('old a');
    expect(readFileSync(join(small, 'b'), 'utf8')).toBe('old b');
    expect(readdirSync(small).sort()).toEqual(['a', 'b']);
  });

  it('a download is a typed error and leaves no file under its name', async () => {
    const content = new Uint8Array(100_000);
    const server = await serve((request, response) => sendFile(request, response, content, 'W/"v1"'));
    const cache = join(small, 'cache');
    const promise = directoryCache(cache).open(`${server.url}/model`, { file: 'model', retryDelays: [1] });
    await expect(promise).rejects.toThrow(/no space left/);
    expect(server.requests).toHaveLength(1);
    const left = readdirSync(cache, { recursive: true, encoding: 'utf8' });
    expect(left.filter((name) => name.includes('model'))).toEqual([]);
    expect(existsSync(cache)).toBe(true);
    await server.close();
  });
});
