/** The built command on Parquet files and on data sets of a hub, on graft-mini. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendFile, serve, type TestServer } from '../support/http';
import { serveHub } from '../support/hub';

const cli = join(import.meta.dirname, '..', '..', 'dist', 'cli.js');
const golden = join(import.meta.dirname, '..', 'golden', 'parquet');
const directory = mkdtempSync(join(tmpdir(), 'graft-data-'));
let hub: TestServer;
beforeAll(async () => {
  const read = (name: string) => new Uint8Array(readFileSync(join(golden, name)));
  const splits = { train: [read('reviews.train.parquet')], validation: [read('reviews.validation.parquet')] };
  hub = await serveHub({ 'graft/reviews': { default: splits } });
});
afterAll(async () => {
  await hub.close();
  rmSync(directory, { recursive: true, force: true });
});

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function graft(...args: string[]): Promise<Finished> {
  const env = { ...process.env, HF_ENDPOINT: hub.url, GRAFT_CACHE: join(directory, 'cache') };
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

const columns = ['--text', 'sentence', '--label', 'label', '--backend', 'wasm', '--json'];
const recipe = ['--epochs', '3', '--batch-size', '16', '--learning-rate', '2e-3', '--bottleneck', '16'];

/** The last line of a training's output. */
async function trainOn(out: string, ...data: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await graft('train', ...data, ...columns, ...recipe, '--out', out);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

describe('a download of data', () => {
  it('is stopped by Ctrl-C, and goes on where it stopped', async () => {
    const bytes = readFileSync(join(golden, 'reviews.train.parquet'));
    let stalls = true;
    const slow = await serve((request, response) => {
      if (!request.url?.endsWith('.parquet')) {
        response.end(
          '{"default":{"train":["https://huggingface.co/api/datasets/a/b/parquet/default/train/0.parquet"]}}',
        );
      } else if (stalls) {
        response
          .writeHead(200, { etag: '"v1"', 'content-length': bytes.length })
          .write(bytes.subarray(0, 5000));
        setTimeout(() => child.kill('SIGINT'), 500);
      } else {
        sendFile(request, response, bytes, '"v1"');
      }
    });
    const env = { ...process.env, HF_ENDPOINT: slow.url, GRAFT_CACHE: join(directory, 'stopped') };
    const out = join(directory, 'stopped-out');
    const args = [
      cli,
      'train',
      '--train',
      'hub:a/b',
      ...columns,
      '--out',
      out,
      '--epochs',
      '1',
      '--limit',
      '20',
    ];
    let child: ChildProcess;
    const finish = () =>
      new Promise<{ code: number | null; stderr: string }>((resolve) => {
        let stderr = '';
        child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
        child.stderr?.on('data', (chunk) => {
          stderr += chunk;
        });
        child.on('close', (code) => resolve({ code, stderr }));
      });
    const stopped = await finish();
    expect(stopped.stderr).toContain('stopped while the data was read; what was downloaded is kept');
    expect(stopped.code).toBe(130);
    stalls = false;
    expect((await finish()).code).toBe(0);
    expect(slow.requests.at(-1)?.headers.range).toBe('bytes=5000-');
    await slow.close();
  }, 60_000);
});

describe('a data set in Parquet', { timeout: 120_000 }, () => {
  const local = join(directory, 'local');
  const fromHub = join(directory, 'hub');
  let done: Record<string, unknown>;

  it('trains from files, and its labels have their names', async () => {
    const [train, dev] = ['train', 'validation'].map((name) => join(golden, `reviews.${name}.parquet`));
    done = await trainOn(local, '--train', train ?? '', '--dev', dev ?? '');
    expect(done).toMatchObject({ type: 'done', dev: { examples: 132 } });
    const { accuracy } = Object(done.dev);
    // The two labels are equally frequent; graft-mini learns more than a coin.
    expect(accuracy).toBeGreaterThan(0.6);
    const { stdout } = await graft(
      'predict',
      '--adapter',
      local,
      '--backend',
      'wasm',
      '--json',
      'A wonderful film.',
    );
    expect(Object.keys(JSON.parse(stdout).scores)).toEqual(['negative', 'positive']);
  });

  it('trains from the hub, to the same numbers', async () => {
    const fetched = await trainOn(fromHub, '--train', 'hub:graft/reviews', '--dev', 'hub:graft/reviews');
    expect(fetched.dev).toEqual(done.dev);
    const tensors = readdirSync(local).filter((name) => name.endsWith('.safetensors'));
    expect(tensors).not.toEqual([]);
    for (const name of tensors) {
      expect(readFileSync(join(fromHub, name)).equals(readFileSync(join(local, name))), name).toBe(true);
    }
  });

  it('is evaluated on a split of the hub', async () => {
    const data = ['--data', 'hub:graft/reviews', '--split', 'validation', ...columns];
    const { code, stdout } = await graft('eval', '--adapter', fromHub, ...data);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).accuracy).toBe(Object(done.dev).accuracy);
  });

  it.each([
    [['--train', 'hub:graft/reviews', '--split', 'test'], /no split "test"\. Choose train, validation/],
    [['--train', 'hub:graft/unknown'], /refuses access \(401\)/],
    [['--train', 'hub:graft/reviews', '--config', 'large'], /no configuration "large"\. Choose default/],
    [
      ['--train', join(golden, 'reviews.train.parquet'), '--split', 'test'],
      /--split: is for data sets of the hub/,
    ],
    [['--train', 'hub:graft/reviews', '--dev-split', 'test'], /--dev-split: is for data sets of the hub/],
  ])('is refused with what there is: %j', async (data, message) => {
    const { code, stderr } = await graft('train', ...data, ...columns, '--out', join(directory, 'refused'));
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});
