import { chmodSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FileAccessError, OptionError } from '../../src/errors';
import { blobSource } from '../../src/platform/blobs';
import { directorySource } from '../../src/platform/directory';
import { resolveBackboneSource } from '../../src/platform/embedded';
import { type FileSource, isPlainFileName, readFile } from '../../src/platform/files';
import { platform } from '../../src/platform/platform';
import { resolveSource } from '../../src/platform/resolve';
import { hubSource, urlSource } from '../../src/platform/url';
import { sendFile, serve, type TestServer } from '../support/http';

let directory: string;
let server: TestServer | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'graft-sources-'));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(directory, { recursive: true });
  vi.unstubAllEnvs();
});

async function text(source: FileSource, name: string): Promise<string | undefined> {
  const file = await readFile(source, name);
  return file === undefined ? undefined : new TextDecoder().decode(file.bytes);
}

async function startEcho(): Promise<string> {
  server = await serve((request, response) => {
    const path = request.url ?? '';
    if (path.includes('absent')) {
      response.writeHead(404).end();
    } else {
      sendFile(request, response, new TextEncoder().encode(path), '"v1"');
    }
  });
  return server.url;
}

describe('platform', () => {
  it('is Node here, and frozen', () => {
    expect(platform).toEqual({ isNode: true, isDeno: false, isBrowser: false, hasFileSystem: true });
    expect(Object.isFrozen(platform)).toBe(true);
  });
});

describe('a directory', () => {
  it('opens files and reads pieces of them', async () => {
    writeFileSync(join(directory, 'a'), 'hello world');
    const file = await directorySource(directory).open('a');
    expect(file).toMatchObject({ name: join(directory, 'a'), size: 11 });
    expect(new TextDecoder().decode(await file?.read(6, 5))).toBe('world');
    expect(await file?.read(11, 0)).toEqual(new Uint8Array());
    await expect(file?.read(7, 5)).rejects.toThrow(/ends before byte 12/);
    await expect(file?.read(0, 2 ** 52)).rejects.toThrow(FileAccessError);
    await file?.close();
  });

  it('has no file that is not there, and refuses one that is a directory', async () => {
    mkdirSync(join(directory, 'sub'));
    const source = directorySource(directory);
    expect(await source.open('missing')).toBeUndefined();
    expect(await directorySource(join(directory, 'missing')).open('a')).toBeUndefined();
    await expect(source.open('sub')).rejects.toThrow(/not a regular file/);
  });

  it('says so where a file shrinks while it is read', async () => {
    const path = join(directory, 'a');
    writeFileSync(path, new Uint8Array(100));
    const file = await directorySource(directory).open('a');
    truncateSync(path, 50);
    await expect(file?.read(0, 100)).rejects.toThrow(/ends before byte 100/);
    await file?.close();
  });

  it.skipIf(process.getuid?.() === 0)(
    'says so where a file may not be read (skipped for root, who may)',
    async () => {
      writeFileSync(join(directory, 'a'), 'secret');
      chmodSync(join(directory, 'a'), 0);
      await expect(directorySource(directory).open('a')).rejects.toThrow(/permission denied/);
    },
  );
});

describe('given files', () => {
  it.each<[string, Blob | Uint8Array]>([
    ['a blob', new Blob(['hello world'])],
    ['bytes', new TextEncoder().encode('hello world')],
  ])('are read from %s', async (_, given) => {
    const source = blobSource({ a: given });
    const file = await source.open('a');
    expect(file).toMatchObject({ name: 'a', size: 11 });
    expect(new TextDecoder().decode(await file?.read(6, 5))).toBe('world');
    await expect(file?.read(7, 5)).rejects.toThrow(FileAccessError);
    expect(await source.open('b')).toBeUndefined();
    expect(await source.open('toString')).toBeUndefined();
    await file?.close();
  });

  it('say so where the browser lost them', async () => {
    const lost = new Blob(['x']);
    vi.spyOn(lost, 'slice').mockImplementation(() => {
      throw new Error('NotReadableError');
    });
    const file = await blobSource({ a: lost }).open('a');
    await expect(file?.read(0, 1)).rejects.toThrow(/Choose the file again/);
  });
});

describe('files at URLs of their own', () => {
  it('are read from the disk, a server and the URL itself', async () => {
    vi.stubEnv('GRAFT_CACHE', directory);
    writeFileSync(join(directory, 'on disk'), 'hello');
    const url = await startEcho();
    const source = blobSource({
      local: pathToFileURL(join(directory, 'on disk')),
      served: new URL(`${url}/some/file`),
      inline: new URL('data:text/plain;base64,aGVsbG8='),
      lost: pathToFileURL(join(directory, 'missing')),
      absent: new URL(`${url}/absent`),
    });
    expect(await text(source, 'local')).toBe('hello');
    expect(await text(source, 'served')).toBe('/some/file');
    expect(await text(source, 'inline')).toBe('hello');
    expect(await text(source, 'lost')).toBeUndefined();
    expect(await text(source, 'absent')).toBeUndefined();
    expect(await text(source, 'other')).toBeUndefined();
  });

  it('are refused where the URL is of another kind, or nothing', async () => {
    const source = blobSource({ a: new URL('ftp://example.org/a'), b: new URL('data:text/plain;base64,?') });
    await expect(source.open('a')).rejects.toThrow(OptionError);
    await expect(source.open('b')).rejects.toThrow(/b: its data: URL cannot be read/);
  });
});

describe('the source of a backbone', () => {
  it('is the embedded one by default and by name, whatever directories are here', async () => {
    for (const source of [await resolveBackboneSource(), await resolveBackboneSource('graft-mini')]) {
      expect(source.description).toBe('graft-mini');
      expect(await source.open('tokenizer.json')).toBeUndefined();
    }
  });

  it('is any other where one is given', async () => {
    expect((await resolveBackboneSource(directory)).description).toBe(directory);
    await expect(resolveBackboneSource('graft-maxi')).rejects.toThrow(OptionError);
  });
});

describe('a URL and a hub id', () => {
  it('name files below them', async () => {
    const url = await startEcho();
    const options = { cacheDirectory: directory };
    expect(await text(urlSource(`${url}/models/a/?key=1`, options), 'config.json')).toBe(
      '/models/a/config.json?key=1',
    );
    expect(await text(urlSource(url, options), 'a b')).toBe('/a%20b');
    expect(await text(urlSource(url, options), 'absent')).toBeUndefined();
    const hub = hubSource('org/name', { ...options, endpoint: `${url}/`, revision: 'refs/pr/1' });
    expect(hub.description).toBe('org/name (refs/pr/1)');
    expect(await text(hub, 'config.json')).toBe('/org/name/resolve/refs%2Fpr%2F1/config.json');
    await expect(urlSource(url, options).open('..')).rejects.toThrow(FileAccessError);
  });

  it('take the endpoint and the cache from the environment', async () => {
    vi.stubEnv('HF_ENDPOINT', await startEcho());
    vi.stubEnv('GRAFT_CACHE', directory);
    const path = '/org/name/resolve/main/vocab.txt';
    expect(await text(await resolveSource('org/name'), 'vocab.txt')).toBe(path);
    await server?.close();
    expect(await text(hubSource('org/name'), 'vocab.txt')).toBe(path);
  });

  it('are asked only once for a commit', async () => {
    const endpoint = await startEcho();
    const source = hubSource('org/name', { endpoint, cacheDirectory: directory, revision: 'a'.repeat(40) });
    await text(source, 'config.json');
    await text(source, 'config.json');
    expect(server?.requests).toHaveLength(1);
  });

  it('are refused where they are none', () => {
    expect(() => urlSource('ftp://example.org/')).toThrow(OptionError);
    expect(() => urlSource('nothing')).toThrow(OptionError);
    expect(() => hubSource('name')).toThrow(/organisation\/name/);
    expect(() => hubSource('../name')).toThrow(OptionError);
    expect(() => hubSource('org/name', { endpoint: 'nowhere' })).toThrow(/endpoint/);
  });
});

describe('resolveSource', () => {
  it('tells directories, URLs, hub ids, files and sources apart', async () => {
    const cacheDirectory = directory;
    const describe = async (source: Parameters<typeof resolveSource>[0]) =>
      (await resolveSource(source, { cacheDirectory })).description;
    expect(await describe(directory)).toBe(directory);
    expect(await describe('https://example.org/model')).toBe('https://example.org/model');
    expect(await describe('org/name')).toBe('org/name');
    expect(await describe({ 'config.json': new Blob() })).toContain('config.json');
    expect(await describe({ open: new Blob() })).toContain('open');
    const source = blobSource({});
    expect(await resolveSource(source)).toBe(source);
    // Both an existing directory, seen from here, and the form of a hub id.
    expect(await describe('src/platform')).toBe('src/platform');
  });

  it.each(['./missing', '../missing', '/missing/x', 'C:\\missing', 'a/b/c'])(
    'finds no directory %s',
    async (path) => {
      await expect(resolveSource(path)).rejects.toThrow(/no such directory/);
    },
  );

  it.each(['', 'bert', 'a b'])('does not know what "%s" is', async (source) => {
    await expect(resolveSource(source)).rejects.toThrow(OptionError);
  });
});

describe('isPlainFileName', () => {
  it('lets only names inside a source pass', () => {
    expect(['model-00001-of-00002.safetensors', '.hidden', 'a..b'].every(isPlainFileName)).toBe(true);
    expect(['', '.', '..', 'a/b', '/a', 'a\\b', 'C:a', 'a\n'].some(isPlainFileName)).toBe(false);
  });
});
