import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FileAccessError } from '../../src/errors';
import { browserCache, type CacheOptions, directoryCache } from '../../src/platform/cache';
import type { FileProgress, RandomAccessFile } from '../../src/platform/files';
import { sendFile, serve, type TestServer } from '../support/http';

/** No waiting between retries. */
const QUICK = { file: 'model', retryDelays: [1, 1] };
const BYTES = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) >> 3);

let directory: string;
let server: TestServer | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'graft-cache-'));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(directory, { recursive: true });
  vi.unstubAllGlobals();
});

async function start(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  server = await serve(handler);
  return `${server.url}/repo/model.bin`;
}

function requests(): TestServer['requests'] {
  return server?.requests ?? [];
}

/** All files under the cache, by name. */
function kept(): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
}

async function content(file: RandomAccessFile | undefined): Promise<Uint8Array> {
  if (file === undefined) throw new Error('the file was not found');
  const bytes = await file.read(0, file.size);
  await file.close();
  return bytes;
}

async function fetchThrough(url: string, options: Partial<CacheOptions> = {}): Promise<Uint8Array> {
  return content(await directoryCache(directory).open(url, { ...QUICK, ...options }));
}

/** `toEqual` compares element by element, which takes seconds. */
function expectBytes(actual: Uint8Array, expected: Uint8Array): void {
  expect(Buffer.compare(actual, expected)).toBe(0);
}

/** Sends the head of a file and breaks the connection. */
function breakOff(
  response: ServerResponse,
  bytes: Uint8Array,
  headers: Record<string, string | number>,
): void {
  response.writeHead(200, headers);
  response.write(bytes, () => setTimeout(() => response.destroy(), 20));
}

describe('downloads into a directory', () => {
  it('report progress and are kept; the next run only asks whether they changed', async () => {
    const url = await start((request, response) => sendFile(request, response, BYTES, '"v1"'));
    const progress: FileProgress[] = [];
    expectBytes(await fetchThrough(url, { onProgress: (report) => progress.push(report) }), BYTES);
    expect(progress[0]).toEqual({ file: 'model', loaded: 0, total: BYTES.length });
    expect(progress.at(-1)).toEqual({ file: 'model', loaded: BYTES.length, total: BYTES.length });
    expect(progress.length).toBeGreaterThan(2);
    expect(kept()).toEqual(['model.bin', 'model.bin.entry.json']);
    expectBytes(await fetchThrough(url), BYTES);
    expect(requests().map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"v1"']);
  });

  it('are fetched again where the ETag changed', async () => {
    let version = 1;
    const url = await start((request, response) =>
      sendFile(request, response, BYTES.subarray(version), `"v${version}"`),
    );
    await fetchThrough(url);
    version = 2;
    expectBytes(await fetchThrough(url), BYTES.subarray(2));
  });

  it('go by the time of the last change where there is no ETag', async () => {
    const modified = 'Wed, 01 Jan 2025 00:00:00 GMT';
    const url = await start((request, response) => {
      if (request.headers['if-modified-since'] === modified) {
        response.writeHead(304).end();
      } else {
        response.writeHead(200, { 'last-modified': modified }).end(BYTES);
      }
    });
    await fetchThrough(url);
    expectBytes(await fetchThrough(url), BYTES);
    expect(requests()[1]?.headers['if-modified-since']).toBe(modified);
  });

  it('are used without asking where the URL is immutable, and without a server at all', async () => {
    const url = await start((request, response) => sendFile(request, response, BYTES, '"v1"'));
    await fetchThrough(url);
    expectBytes(await fetchThrough(url, { immutable: true }), BYTES);
    expect(requests()).toHaveLength(1);
    await server?.close();
    expectBytes(await fetchThrough(url), BYTES);
  });

  it('are fetched again where the kept file was cut off or its entry is damaged', async () => {
    const url = await start((request, response) => sendFile(request, response, BYTES, '"v1"'));
    await fetchThrough(url);
    const path = join(directory, new URL(url).host.replace(':', '_'), 'repo', 'model.bin');
    truncateSync(path, 1000);
    expectBytes(await fetchThrough(url), BYTES);
    writeFileSync(`${path}.entry.json`, '{"url": 1');
    expectBytes(await fetchThrough(url), BYTES);
    expect(requests().map(({ headers }) => headers['if-none-match'])).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('are aborted half-way without a trace under their name, and resumed from there', async () => {
    const controller = new AbortController();
    let first = true;
    const url = await start((request, response) => {
      if (first) {
        first = false;
        response.writeHead(200, { etag: '"v1"', 'content-length': BYTES.length });
        response.write(BYTES.subarray(0, 100_000));
      } else {
        sendFile(request, response, BYTES, '"v1"');
      }
    });
    const onProgress = ({ loaded }: FileProgress) => {
      if (loaded === 100_000) controller.abort(new Error('enough'));
    };
    await expect(fetchThrough(url, { onProgress, signal: controller.signal })).rejects.toThrow('enough');
    expect(kept()).toEqual([expect.stringMatching(/^model\.bin\.free\.[\w-]+\.part$/)]);
    expectBytes(await fetchThrough(url), BYTES);
    expect(requests()[1]?.headers).toMatchObject({ range: 'bytes=100000-', 'if-range': '"v1"' });
    expect(kept()).toEqual(['model.bin', 'model.bin.entry.json']);
  });

  it('are aborted before they begin', async () => {
    const url = await start((request, response) => sendFile(request, response, BYTES, '"v1"'));
    await expect(fetchThrough(url, { signal: AbortSignal.abort(new Error('never')) })).rejects.toThrow(
      'never',
    );
    expect(kept()).toEqual([]);
  });

  it('leave nothing where the server gives no strong ETag to go on with', async () => {
    for (const headers of [{}, { etag: 'W/"weak"' }]) {
      const url = await start((_, response) =>
        breakOff(response, BYTES.subarray(0, 9), { ...headers, 'content-length': BYTES.length }),
      );
      await expect(fetchThrough(url)).rejects.toThrow(FileAccessError);
      expect(requests().every((request) => request.headers.range === undefined)).toBe(true);
      expect(kept().filter((name) => name === 'model.bin')).toEqual([]);
      await server?.close();
    }
  });

  it('take over the part of a process that was killed, and leave that of a living one', async () => {
    const url = await start((request, response) => sendFile(request, response, BYTES, '"v1"'));
    await fetchThrough(url);
    const path = join(directory, new URL(url).host.replace(':', '_'), 'repo', 'model.bin');
    rmSync(path);
    const etag = Buffer.from('"v1"').toString('base64url');
    // Process ids end far below 2^30.
    writeFileSync(`${path}.${2 ** 30}-dead.${etag}.part`, BYTES.subarray(0, 50_000));
    const living = `${path}.${process.pid}-alive.${etag}.part`;
    writeFileSync(living, 'in use');
    expectBytes(await fetchThrough(url), BYTES);
    expect(requests()[1]?.headers.range).toBe('bytes=50000-');
    expect(readFileSync(living, 'utf8')).toBe('in use');
  });

  it('go on by themselves where the connection breaks', async () => {
    let count = 0;
    const url = await start((request, response) => {
      count++;
      if (count === 1) {
        breakOff(response, BYTES.subarray(0, 70_000), { etag: '"v1"', 'content-length': BYTES.length });
      } else if (count === 2) {
        response.writeHead(503).end('busy');
      } else {
        sendFile(request, response, BYTES, '"v1"');
      }
    });
    expectBytes(await fetchThrough(url), BYTES);
    expect(requests().map(({ headers }) => headers.range)).toEqual([
      undefined,
      'bytes=70000-',
      'bytes=70000-',
    ]);
  });

  it('begin anew where the file changed in between', async () => {
    let count = 0;
    const changed = BYTES.toReversed();
    const url = await start((request, response) => {
      count++;
      if (count === 1) {
        breakOff(response, BYTES.subarray(0, 70_000), { etag: '"v1"', 'content-length': BYTES.length });
      } else {
        sendFile(request, response, changed, '"v2"');
      }
    });
    expectBytes(await fetchThrough(url), changed);
  });

  it.each<[string, number, Record<string, string>]>([
    ['another version', 206, { etag: '"v2"', 'content-range': 'bytes 70000-299999/300000' }],
    ['another range', 206, { etag: '"v1"', 'content-range': 'bytes 5-299999/300000' }],
    ['no such range', 416, {}],
  ])('begin anew where the server answers a resumption with %s', async (_, status, headers) => {
    let count = 0;
    const url = await start((request, response) => {
      count++;
      if (count === 1) {
        breakOff(response, BYTES.subarray(0, 70_000), { etag: '"v1"', 'content-length': BYTES.length });
      } else if (count === 2) {
        response.writeHead(status, headers).end(BYTES.subarray(70_000));
      } else {
        sendFile(request, response, BYTES, '"v1"');
      }
    });
    expectBytes(await fetchThrough(url), BYTES);
    expect(requests().map((request) => request.headers.range)).toEqual([
      undefined,
      'bytes=70000-',
      undefined,
    ]);
  });

  it('are a typed error where fewer bytes come than were announced, time after time', async () => {
    const url = await start((_, response) => {
      breakOff(response, BYTES.subarray(0, 10), { 'content-length': 20 });
    });
    const promise = fetchThrough(url);
    await expect(promise).rejects.toThrow(FileAccessError);
    await expect(promise).rejects.toThrow(/repo\/model\.bin: the download failed .*, 3 times in a row/);
    expect(kept()).toEqual([]);
  });

  it('are a typed error where the server falls silent', async () => {
    const url = await start((_, response) => {
      response.writeHead(200, { 'content-length': 20 });
      response.write('begin');
    });
    const promise = fetchThrough(url, { stallTimeout: 100, retryDelays: [] });
    await expect(promise).rejects.toThrow(/no data for 0.1 s/);
  });

  it.each([
    [401, /refuses access \(401\)/],
    [403, /refuses access \(403\)/],
    [400, /answered 400/],
    [500, /answered 500, 3 times/],
  ])('are a typed error at status %d', async (status, message) => {
    const url = await start((_, response) => response.writeHead(status).end());
    const promise = fetchThrough(url);
    await expect(promise).rejects.toThrow(FileAccessError);
    await expect(promise).rejects.toThrow(message);
    expect(kept()).toEqual([]);
  });

  it('are undefined where the server has no such file, also when it cannot be reached later', async () => {
    let isThere = false;
    const url = await start((request, response) => {
      if (isThere) sendFile(request, response, BYTES, '"v1"');
      else response.writeHead(404).end();
    });
    expect(await directoryCache(directory).open(url, QUICK)).toBeUndefined();
    expect(await directoryCache(directory).open(url, { ...QUICK, immutable: true })).toBeUndefined();
    expect(requests()).toHaveLength(1);
    isThere = true;
    expectBytes(await fetchThrough(url), BYTES);
    isThere = false;
    expect(await directoryCache(directory).open(url, QUICK)).toBeUndefined();
    await server?.close();
    expect(await directoryCache(directory).open(url, QUICK)).toBeUndefined();
  });

  it('are a typed error where nobody listens', async () => {
    const url = await start(() => {});
    await server?.close();
    await expect(fetchThrough(url)).rejects.toThrow(/ECONNREFUSED/);
  });

  it('follow redirects, and resume behind them', async () => {
    let count = 0;
    const url = await start((request, response) => {
      if (request.url === '/repo/model.bin') {
        response.writeHead(302, { location: '/elsewhere/blob' }).end();
      } else if (count++ === 0) {
        breakOff(response, BYTES.subarray(0, 70_000), { etag: '"v1"', 'content-length': BYTES.length });
      } else {
        sendFile(request, response, BYTES, '"v1"');
      }
    });
    expectBytes(await fetchThrough(url), BYTES);
    expect(requests().at(-1)?.headers.range).toBe('bytes=70000-');
  });

  it('cannot be written where a file stands in the way: a typed error', async () => {
    const url = await start((request, response) => sendFile(request, response, BYTES, '"v1"'));
    writeFileSync(join(directory, new URL(url).host.replace(':', '_')), 'in the way');
    await expect(fetchThrough(url)).rejects.toThrow(/cannot be written/);
  });

  it('are kept where one address is the folder of another', async () => {
    const url = await start((request, response) =>
      sendFile(request, response, new TextEncoder().encode(request.url), '"v1"'),
    );
    const api = url.replace('/model.bin', '');
    for (const address of [api, `${api}/train/0.bin`, api]) {
      expect(new TextDecoder().decode(await fetchThrough(address))).toBe(new URL(address).pathname);
    }
    expect(requests().map(({ headers }) => headers['if-none-match'])).toEqual([undefined, undefined, '"v1"']);
  });

  it('of two processes at once do not disturb each other', async () => {
    const url = await start((request, response) => sendFile(request, response, BYTES, '"v1"'));
    const results = await Promise.all([fetchThrough(url), fetchThrough(url), fetchThrough(url)]);
    for (const result of results) expectBytes(result, BYTES);
    expect(kept()).toEqual(['model.bin', 'model.bin.entry.json']);
  });
});

/** What the Cache API does of importance here. */
class FakeCache {
  readonly entries = new Map<string, Response>();
  async match(url: string): Promise<Response | undefined> {
    return this.entries.get(url)?.clone();
  }
  async put(url: string, response: Response): Promise<void> {
    this.entries.set(url, response);
  }
}

describe('downloads in a browser', () => {
  it('are kept in the Cache API and asked for again by version', async () => {
    const cache = new FakeCache();
    vi.stubGlobal('caches', { open: async () => cache });
    let version = 1;
    const url = await start((request, response) =>
      sendFile(request, response, BYTES.subarray(version), `"v${version}"`),
    );
    const open = async (options: Partial<CacheOptions> = {}) =>
      content(await browserCache().open(url, { ...QUICK, ...options }));
    expectBytes(await open(), BYTES.subarray(1));
    expectBytes(await open(), BYTES.subarray(1));
    expectBytes(await open({ immutable: true }), BYTES.subarray(1));
    expect(requests()).toHaveLength(2);
    version = 2;
    expectBytes(await open(), BYTES.subarray(2));
    await server?.close();
    expectBytes(await open(), BYTES.subarray(2));
    expect(existsSync(join(directory, 'model'))).toBe(false);
  });

  it('keep in mind that the server has no such file', async () => {
    const cache = new FakeCache();
    vi.stubGlobal('caches', { open: async () => cache });
    const url = await start((_, response) => response.writeHead(404).end());
    expect(await browserCache().open(url, QUICK)).toBeUndefined();
    await server?.close();
    expect(await browserCache().open(url, QUICK)).toBeUndefined();
  });

  it('work without a cache, and with one that is full', async () => {
    const url = await start((request, response) => sendFile(request, response, BYTES, '"v1"'));
    expectBytes(await content(await browserCache().open(url, QUICK)), BYTES);
    const full = { match: async () => undefined, put: () => Promise.reject(new Error('quota exceeded')) };
    vi.stubGlobal('caches', { open: async () => full });
    expectBytes(await content(await browserCache().open(url, QUICK)), BYTES);
    vi.stubGlobal('caches', { open: () => Promise.reject(new Error('forbidden')) });
    expectBytes(await content(await browserCache().open(url, QUICK)), BYTES);
  });
});
