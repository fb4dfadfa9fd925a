import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HubDataOptions } from '../../src/cli/data/hub';
import { readTable } from '../../src/cli/data/read-table';
import { readTokenExamples } from '../../src/cli/data/token-examples';
import { checkHubOptions } from '../../src/cli/hub-options';
import { DataError, FileAccessError, FileFormatError, type FileProgress, OptionError } from '../../src/index';
import { serve, type TestServer } from '../support/http';
import { type HubDataset, serveHub } from '../support/hub';

const fixture = (name: string) =>
  new Uint8Array(readFileSync(join(import.meta.dirname, '..', 'golden', 'parquet', name)));
const train = fixture('reviews.train.parquet');
const validation = fixture('reviews.validation.parquet');
const reviews: HubDataset = { default: { train: [train, validation], validation: [validation] } };
const several: HubDataset = { en: { train: [fixture('structured.parquet')] }, de: { train: [validation] } };

let cache: string;
let server: TestServer | undefined;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'graft-hub-'));
  vi.stubEnv('GRAFT_CACHE', cache);
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(cache, { recursive: true, force: true });
  vi.unstubAllEnvs();
});

async function start(datasets: Readonly<Record<string, HubDataset>>): Promise<TestServer> {
  server = await serveHub(datasets);
  vi.stubEnv('HF_ENDPOINT', `${server.url}/`);
  return server;
}

const columns = ['sentence', 'label'];
const read = (source: string, hub?: HubDataOptions, limit?: number) =>
  readTable(source, { columns, header: true, limit }, hub);

describe('a data set of the hub', () => {
  it('is read in all of its parts, with class names, and told how far it has come', async () => {
    await start({ 'graft/reviews': reviews });
    const seen: FileProgress[] = [];
    const onProgress = (progress: FileProgress) => seen.push(progress);
    const { rows, classNames } = await read('hub:graft/reviews', { split: 'train', onProgress });
    expect(rows).toHaveLength(530);
    expect(rows[0]?.cells).toEqual(['A quiet little film that stayed with me for days.', 'positive']);
    expect([...classNames]).toEqual([['label', ['negative', 'positive']]]);
    expect(new Set(seen.map(({ file }) => file))).toEqual(
      new Set(['graft/reviews train 1/2', 'graft/reviews train 2/2']),
    );
    expect(seen.at(-1)).toMatchObject({ loaded: validation.length, total: validation.length });
  });

  it('is asked for again and not fetched again, and read without a server', async () => {
    const hub = await start({ 'graft/reviews': reviews });
    const first = await read('hub:graft/reviews', { split: 'validation' });
    const asked = hub.requests.length;
    expect(await read('hub:graft/reviews', { split: 'validation' })).toEqual(first);
    const again = hub.requests.slice(asked);
    expect(again.length).toBeGreaterThan(0);
    // The hub answers 304: what went before a redirect carries the version along.
    expect(again.every(({ headers }) => headers['if-none-match'] !== undefined)).toBe(true);
    await server?.close();
    expect(await read('hub:graft/reviews', { split: 'validation' })).toEqual(first);
  });

  it('is fetched only as far as the limit goes', async () => {
    const hub = await start({ 'graft/reviews': reviews });
    expect((await read('hub:graft/reviews', { split: 'train' }, 5)).rows).toHaveLength(5);
    expect(hub.requests.filter(({ path }) => path.includes('/1.parquet'))).toEqual([]);
  });

  it('has the configuration that is asked for', async () => {
    await start({ 'graft/several': several });
    const tokens = await readTokenExamples('hub:graft/several', {}, { config: 'en', split: 'train' });
    expect(tokens).toHaveLength(2);
    expect(tokens[0]?.labels).toEqual(['B-PER', 'O', 'B-PER']);
  });

  it.each<[string, HubDataOptions, RegExp]>([
    [
      'hub:graft/reviews',
      { split: 'test' },
      /--split: hub:graft\/reviews has no split "test"\. Choose train, validation/,
    ],
    [
      'hub:graft/reviews',
      { split: 'train', config: 'x' },
      /--config: .*no configuration "x"\. Choose default/,
    ],
    ['hub:graft/several', { split: 'train' }, /--config: .*has several configurations\. Choose en, de/],
    ['hub:graft/none', { split: 'train' }, /--config: .*\. The hub lists none/],
    [
      'hub:reviews',
      { split: 'train' },
      /"hub:reviews" names no data set\. Write it as hub:organisation\/name/,
    ],
    ['hub:../..', { split: 'train' }, /names no data set/],
  ])('is refused where there is none such: %s %j', async (source, hub, message) => {
    await start({ 'graft/reviews': reviews, 'graft/several': several, 'graft/none': {} });
    await expect(read(source, hub)).rejects.toThrow(OptionError);
    await expect(read(source, hub)).rejects.toThrow(message);
  });

  it('is refused where the hub does not know it', async () => {
    const hub = await start({});
    await expect(read('hub:graft/unknown')).rejects.toThrow(FileAccessError);
    await expect(read('hub:graft/unknown')).rejects.toThrow(
      /refuses access \(401\)\. The address or the name/,
    );
    await hub.close();
    server = await serve((_, response) => response.writeHead(404).end());
    vi.stubEnv('HF_ENDPOINT', server.url);
    await expect(read('hub:graft/unknown')).rejects.toThrow(/the hub has no such data set/);
  });

  it.each([
    ['{"default":', FileFormatError, /is not JSON/],
    ['{"default":{"train":["file:///etc/passwd"]}}', FileFormatError, /lists "file:\/\/\/etc\/passwd"/],
    ['{"default":{"train":[5]}}', FileFormatError, /lists 5/],
    ['[1]', OptionError, /The hub lists none/],
    ['{"default":{"train":"x"}}', OptionError, /no split "train"/],
  ])('is refused where the list is %s', async (list, error, message) => {
    server = await serve((_, response) => response.end(list));
    vi.stubEnv('HF_ENDPOINT', server.url);
    await expect(read('hub:graft/x')).rejects.toThrow(error);
    await expect(read('hub:graft/x')).rejects.toThrow(message);
  });

  it.each(['nowhere', 'ftp://example.org', 'https://'])(
    'is refused where HF_ENDPOINT is %s',
    async (endpoint) => {
      vi.stubEnv('HF_ENDPOINT', endpoint);
      await expect(read('hub:graft/reviews')).rejects.toThrow(
        /HF_ENDPOINT: ".*" is not an http or https URL/,
      );
    },
  );

  it('names the file that is no Parquet', async () => {
    await start({ 'graft/broken': { default: { train: [train.subarray(0, 900)] } } });
    await expect(read('hub:graft/broken')).rejects.toThrow(DataError);
    await expect(read('hub:graft/broken')).rejects.toThrow(
      /hub:graft\/broken default\/train\/0\.parquet: is no Parquet/,
    );
  });

  it('stops where the signal says so', async () => {
    const controller = new AbortController();
    server = await serve(({ url }, response) => {
      if (url?.endsWith('.parquet')) {
        response.writeHead(200, { 'content-length': 1000 }).write('PAR1');
        controller.abort(new Error('enough'));
      } else {
        response.end(
          '{"default":{"train":["https://huggingface.co/api/datasets/a/b/parquet/default/train/0.parquet"]}}',
        );
      }
    });
    vi.stubEnv('HF_ENDPOINT', server.url);
    const { signal } = controller;
    await expect(read('hub:a/b', { split: 'train', signal })).rejects.toThrow('enough');
  });
});

describe('options for data sets of the hub', () => {
  it('are refused without one', () => {
    expect(() => checkHubOptions({ '--split': 'test' }, 'data.tsv')).toThrow(
      /--split: is for data sets of the hub/,
    );
    expect(() => checkHubOptions({ '--dev-split': 'test' }, undefined)).toThrow(OptionError);
    checkHubOptions({ '--split': undefined, '--config': undefined }, 'data.tsv');
    checkHubOptions({ '--split': 'test', '--config': 'x' }, 'hub:a/b');
  });
});
