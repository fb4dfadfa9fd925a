/** The built package trains the same task in Node, Deno and a real browser, to the same losses. */
import { execFile } from 'node:child_process';
import { createReadStream, existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { type BrowserName, findBrowser, launchBrowser } from '../support/browser';
import { goldenPath } from '../support/checkpoint';
import { relativeError } from '../support/compare';

interface Result {
  readonly losses: number[];
  readonly accuracy: number;
  readonly prediction: string;
  readonly files: string[];
  readonly device: string;
  readonly note?: string;
}

const root = join(import.meta.dirname, '..', '..');
const script = join(import.meta.dirname, 'run-small-task.mjs');
const checkpoint = goldenPath('bert', 'checkpoint');
const browsers: Readonly<Record<BrowserName, string | undefined>> = {
  chrome: findBrowser('chrome', 'the built package in Chromium'),
  firefox: findBrowser('firefox', 'the built package in Firefox'),
};

async function run<T = Result>(program: string, args: string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(program, args, { cwd: root, timeout: 120_000 });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

/** Serves the repository, and an empty page: cross-origin isolated at /isolated/, not at /plain/. */
async function serve(): Promise<{ server: Server; origin: string }> {
  const types: Record<string, string> = {
    '.js': 'text/javascript',
    '.mjs': 'text/javascript',
    '.json': 'application/json',
  };
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname));
    if (path === '/isolated/') {
      response.setHeader('cross-origin-opener-policy', 'same-origin');
      response.setHeader('cross-origin-embedder-policy', 'require-corp');
    }
    if (path === '/isolated/' || path === '/plain/') {
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>Graft</title>');
      return;
    }
    const file = join(root, path);
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream');
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (!isAddress(address)) throw new Error('the server has no port');
  return { server, origin: `http://127.0.0.1:${address.port}` };
}

function isAddress(address: ReturnType<Server['address']>): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}

function expectTrained({ losses, accuracy, prediction, files }: Result): void {
  expect(losses.length).toBe(24);
  expect(losses.at(-1)).toBeLessThan(0.5 * (losses[0] ?? 0));
  expect(accuracy).toBe(1);
  expect(prediction).toBe('stale');
  expect(files).toEqual([
    'adapter.safetensors',
    'adapter_config.json',
    'head_config.json',
    'model_head.safetensors',
  ]);
}

describe.each(['webgpu', 'wasm'])('the built package, on %s', (backend) => {
  let inNode: Result;

  beforeAll(async () => {
    inNode = await run(process.execPath, [script, checkpoint, backend]);
  });

  it('trains in Node', () => {
    expectTrained(inNode);
  });

  it('trains in Deno, to the same losses', { timeout: 120_000 }, async () => {
    const deno = join(root, 'node_modules', '.bin', 'deno');
    const inDeno = await run(deno, ['run', '--allow-all', '--no-config', script, checkpoint, backend]);
    expectTrained(inDeno);
    // The same seed and masks; drivers may differ in the last bits of exp and tanh.
    expect(relativeError(inDeno.losses, inNode.losses)).toBeLessThan(1e-3);
  });
});

const places: readonly [BrowserName, 'webgpu' | 'wasm', 'isolated' | 'plain'][] = [
  ['chrome', 'webgpu', 'plain'],
  ['chrome', 'wasm', 'isolated'],
  ['chrome', 'wasm', 'plain'],
  ['firefox', 'wasm', 'isolated'],
];

describe.each(places)('the built package in %s, on %s, in a page that is %s', (name, backend, page) => {
  const executablePath = browsers[name];

  it.skipIf(executablePath === undefined)('trains to the losses of Node', { timeout: 180_000 }, async () => {
    const inNode = await run(process.execPath, [script, checkpoint, backend]);
    const inBrowser: Result = await runInBrowser(
      name,
      executablePath ?? '',
      page,
      `const { trainSmallTask } = await import('/test/platform/small-task.mjs');
      return trainSmallTask(graft, source, '${backend}');`,
    );
    expectTrained(inBrowser);
    expect(relativeError(inBrowser.losses, inNode.losses)).toBeLessThan(1e-3);
    if (backend === 'webgpu') return;
    if (page === 'isolated' && cpus().length > 1) {
      expect(inBrowser.device).toMatch(/\d threads/);
      expect(inBrowser.note).toBeUndefined();
    } else {
      expect(inBrowser.device).toContain('one thread');
      if (cpus().length > 1) expect(inBrowser.note).toContain('not cross-origin isolated');
    }
  });
});

/** Runs `script`, which knows the library as `graft` and the small checkpoint's URL as `source`, in a page. */
async function runInBrowser<T>(
  browserName: BrowserName,
  executablePath: string,
  pagePath: 'isolated' | 'plain',
  script: string,
): Promise<T> {
  const { server, origin } = await serve();
  const browser = await launchBrowser(browserName, executablePath);
  try {
    const page = await browser.newPage();
    await page.goto(`${origin}/${pagePath}/`);
    const expression = `(async () => {
      const graft = await import('/dist/graft.js');
      const source = '${origin}/test/golden/bert/checkpoint/';
      return JSON.stringify(await (async () => { ${script} })());
    })()`;
    return JSON.parse(String(await page.evaluate(expression)));
  } finally {
    await browser.close();
    server.close();
  }
}

/** What test/platform/upper-layer-task.mjs gives. */
interface UpperLayerResult {
  readonly losses: { readonly off: number[]; readonly disk: number[] };
  readonly report: { readonly examples: number; readonly memoryBytes: number; readonly diskBytes: number };
  /** Directories of the library in the browser's private file system while it trained, and afterwards. */
  readonly during: number;
  readonly after: number;
}

describe('the lower layers kept on the disk give the losses of computing them each time', () => {
  const upperLayerScript = join(import.meta.dirname, 'run-upper-layer-task.mjs');

  function expectSame({ losses, report, after }: UpperLayerResult): void {
    expect(losses.off.length).toBe(6);
    expect(losses.disk).toEqual(losses.off);
    // Sixteen texts of five tokens of 64 numbers, to train on and as dev examples.
    expect(report).toMatchObject({ examples: 32, memoryBytes: 0, diskBytes: 2 * 16 * 5 * 64 * 4 });
    expect(after).toBe(0);
  }

  it('in Node', { timeout: 60_000 }, async () => {
    expectSame(await run<UpperLayerResult>(process.execPath, [upperLayerScript, checkpoint]));
  });

  it('in Deno', { timeout: 60_000 }, async () => {
    const deno = join(root, 'node_modules', '.bin', 'deno');
    const args = ['run', '--allow-all', '--no-config', upperLayerScript, checkpoint];
    expectSame(await run<UpperLayerResult>(deno, args));
  });

  for (const name of ['chrome', 'firefox'] as const) {
    const executablePath = browsers[name];
    it.skipIf(executablePath === undefined)(`in ${name}`, { timeout: 120_000 }, async () => {
      const result: UpperLayerResult = await runInBrowser(
        name,
        executablePath ?? '',
        'plain',
        `const { trainUpperLayer } = await import('/test/platform/upper-layer-task.mjs');
        return trainUpperLayer(graft, source);`,
      );
      expectSame(result);
      expect(result.during).toBe(1);
    });
  }
});
