/** The built package trains the same task in Node, Deno and a real browser, to the same losses. */
import { execFile } from 'node:child_process';
import { createReadStream, existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { launch } from 'puppeteer';
import { beforeAll, describe, expect, it } from 'vitest';
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
const browsers = {
  chrome: findProgram([
    process.env.CHROME_PATH,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
  ]),
  firefox: findProgram([process.env.FIREFOX_PATH, '/usr/bin/firefox-esr', '/usr/bin/firefox']),
} as const;
type BrowserName = keyof typeof browsers;

function findProgram(paths: readonly (string | undefined)[]): string | undefined {
  return paths.find((path) => path !== undefined && existsSync(path));
}

for (const [name, path] of Object.entries(browsers)) {
  if (path === undefined) {
    console.warn(
      `skipped: the tests in ${name}; it is not here. \`node tools/setup.mjs --browser\` says how to get it`,
    );
  }
}

async function run(program: string, args: string[]): Promise<Result> {
  const { stdout } = await promisify(execFile)(program, args, { cwd: root, timeout: 120_000 });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

const chromeFlags = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

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
    const inBrowser = await runInBrowser(name, executablePath ?? '', backend, page);
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

async function runInBrowser(
  browserName: BrowserName,
  executablePath: string,
  backend: string,
  pagePath: string,
): Promise<Result> {
  const { server, origin } = await serve();
  const browser = await launch({
    browser: browserName,
    executablePath,
    args: browserName === 'firefox' ? [] : chromeFlags,
  });
  try {
    const page = await browser.newPage();
    await page.goto(`${origin}/${pagePath}/`);
    const source = `(async () => {
      const graft = await import('/dist/graft.js');
      const { trainSmallTask } = await import('/test/platform/small-task.mjs');
      return JSON.stringify(
        await trainSmallTask(graft, '${origin}/test/golden/bert/checkpoint/', '${backend}'),
      );
    })()`;
    return JSON.parse(String(await page.evaluate(source)));
  } finally {
    await browser.close();
    server.close();
  }
}
