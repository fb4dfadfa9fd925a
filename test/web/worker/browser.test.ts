/** The engine in its worker, in real browsers: IndexedDB, Web Locks, Comlink, a page that is closed, a full storage. */
import { createReadStream, existsSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { extname, join } from 'node:path';
import { build } from 'esbuild';
import type { Browser, Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BrowserName, findBrowser, launchBrowser, openPage } from '../../support/browser';
import { exampleData, RECIPE } from './support/engines';

const root = join(import.meta.dirname, '..', '..', '..');
const site = join(root, 'build', 'engine-test');
const examples = exampleData('requests.train', 120);
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' };

let server: Server;
let origin: string;

beforeAll(async () => {
  await mkdir(site, { recursive: true });
  await build({
    entryPoints: {
      page: join(import.meta.dirname, 'support', 'page.ts'),
      worker: join(root, 'examples', 'web', 'src', 'worker', 'main.ts'),
    },
    outdir: site,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    alias: { 'graft-ml': join(root, 'dist', 'graft.js') },
    logLevel: 'warning',
  });
  await cp(join(root, 'dist', 'models'), join(site, 'models'), { recursive: true });
  await writeFile(
    join(site, 'index.html'),
    '<!doctype html><title>Engine</title><script type="module" src="page.js"></script>',
  );
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = join(site, pathname === '/' ? 'index.html' : pathname);
    if (!file.startsWith(site) || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  origin = `http://127.0.0.1:${address.port}/`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

const browsers: readonly BrowserName[] = ['chrome', 'firefox'];
describe.each(browsers)('the engine in %s', (name) => {
  const executablePath = findBrowser(name, `the engine in ${name}`);
  const test = it.skipIf(executablePath === undefined);
  // A quota that a test sets, and WebGPU.
  const testInChrome = it.skipIf(executablePath === undefined || name !== 'chrome');
  // Enough for tabs that stall: see openPage.
  const twoTabs = { timeout: 240_000 };
  let browser: Browser;

  beforeAll(async () => {
    if (executablePath !== undefined) browser = await launchBrowser(name, executablePath);
  });
  afterAll(() => browser?.close());

  /** A new tab, on the CPU, with graft-mini loaded. */
  function openTab(): Promise<Page> {
    return openPage(browser, name, async (page) => {
      await load(page);
      return page;
    });
  }

  async function load(page: Page): Promise<void> {
    await page.goto(origin);
    await page.evaluate(async () => {
      await graftPage.opened;
      await graftPage.engine.chooseDevice('wasm');
      await graftPage.seen(({ type }) => type === 'backbone');
    });
  }

  async function newTask(page: Page, wanted = examples): Promise<string> {
    return page.evaluate(async (rows) => {
      const { id } = await graftPage.engine.createTask({
        name: 'Requests',
        kind: 'classification',
        bottleneck: 16,
      });
      await graftPage.engine.setExamples(id, rows);
      return id;
    }, wanted);
  }

  /** Starts a training and resolves in its midst. */
  async function beginTraining(page: Page, id: string, epochs: number): Promise<void> {
    await page.evaluate(
      async (taskId, options) => {
        graftPage.engine.train(taskId, options).catch(() => undefined);
        // After the first epoch, whose state is kept.
        await graftPage.seen((event) => event.type === 'step' && event.progress.epoch > 1);
      },
      id,
      { ...RECIPE, epochs },
    );
  }

  test('goes on with a training whose page was closed', twoTabs, async () => {
    const first = await openTab();
    const id = await newTask(first);
    await beginTraining(first, id, 40);
    await first.close();

    const second = await openTab();
    const done = await second.evaluate(
      async (taskId, options) => {
        const state = await graftPage.opened;
        const kept = state.tasks.find((task) => task.id === taskId);
        const going = graftPage.engine.train(taskId, options);
        const step = await graftPage.seen(({ type }) => type === 'step');
        await graftPage.engine.pause(taskId);
        return { kept, step, paused: await going };
      },
      id,
      RECIPE,
    );
    expect(done.kept).toMatchObject({ status: 'paused', exampleCount: 120, options: { epochs: 40 } });
    if (done.step.type !== 'step') throw new Error('no step');
    expect(done.step.progress.step).toBeGreaterThan(6);
    expect(done.paused.status).toBe('paused');
    await second.evaluate((taskId) => graftPage.engine.removeTask(taskId), id);
    await second.close();
  });

  test('keeps two tabs from training one task', twoTabs, async () => {
    const [first, second] = [await openTab(), await openTab()];
    const id = await newTask(first);
    await second.evaluate(
      (taskId) => graftPage.seen((event) => event.type === 'task' && event.task.id === taskId),
      id,
    );
    await first.bringToFront();
    await beginTraining(first, id, 200);
    const error = await second.evaluate(
      (taskId, options) => graftPage.engine.train(taskId, options).catch((thrown: unknown) => thrown),
      id,
      RECIPE,
    );
    expect(error).toMatchObject({
      name: 'BusyError',
      message: expect.stringContaining('in another tab'),
      hint: expect.stringContaining('Pause it there'),
    });
    // The tab ends without a word: its lock tells.
    await first.close();
    const event = await second.evaluate(
      (taskId) =>
        graftPage.seen(
          (seen) => seen.type === 'task' && seen.task.id === taskId && seen.task.status === 'paused',
        ),
      id,
    );
    expect(event).toMatchObject({ task: { status: 'paused' } });
    await second.evaluate((taskId) => graftPage.engine.removeTask(taskId), id);
    await second.close();
  });

  testInChrome('trains to the end after a sleep', { timeout: 180_000 }, async () => {
    const page = await openTab();
    const id = await newTask(page);
    const session = await page.createCDPSession();
    const ended = page.evaluate((taskId, options) => graftPage.engine.train(taskId, options), id, RECIPE);
    await page.evaluate(() => graftPage.seen(({ type }) => type === 'step'));
    const longestPause = await page.evaluateHandle(() => {
      const pause = { milliseconds: 0 };
      let last = performance.now();
      setInterval(() => {
        const now = performance.now();
        pause.milliseconds = Math.max(pause.milliseconds, now - last);
        last = now;
      }, 20);
      return pause;
    });
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await session.send('Page.setWebLifecycleState', { state: 'active' });
    const { status, note } = await ended;
    // The tab did stand still.
    expect(await longestPause.evaluate(({ milliseconds }) => milliseconds)).toBeGreaterThan(2_500);
    expect(status).toBe('trained');
    expect(note).toBeUndefined();
    await page.evaluate((taskId) => graftPage.engine.removeTask(taskId), id);
    await page.close();
  });

  testInChrome('trains on where the storage is full', { timeout: 180_000 }, async () => {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    const session = await page.createCDPSession();
    // Room for the examples, not for a training's state.
    await session.send('Storage.overrideQuotaForOrigin', {
      origin: new URL(origin).origin,
      quotaSize: 200_000,
    });
    await load(page);
    const id = await newTask(page);
    const found = await page.evaluate(
      async (taskId, options) => {
        const { status } = await graftPage.engine.train(taskId, options);
        const storage = graftPage.events.filter((event) => event.type === 'storage');
        const prediction = await graftPage.engine.predict(taskId, 'At once, please!');
        const { zip } = await graftPage.engine.download(taskId);
        return { status, storage, prediction, zipBytes: zip.size };
      },
      id,
      { ...RECIPE, epochs: 2 },
    );
    expect(found.status).toBe('trained');
    expect(found.prediction.kind).toBe('classification');
    expect(found.zipBytes).toBeGreaterThan(200_000);
    expect(found.storage.at(-1)).toMatchObject({
      storage: { available: true, note: expect.stringContaining('is full') },
    });
    // What was kept before is there.
    await page.reload();
    const state = await page.evaluate(() => graftPage.opened);
    expect(state.tasks.find((task) => task.id === id)).toMatchObject({ status: 'new', exampleCount: 120 });
    await context.close();
  });

  testInChrome('checks a WebGPU device once', { timeout: 180_000 }, async () => {
    const page = await openTab();
    const found = await page.evaluate(async () => {
      const started = performance.now();
      const first = await graftPage.engine.chooseDevice('webgpu');
      const seconds = (performance.now() - started) / 1000;
      const checks = graftPage.events.filter(({ type }) => type === 'checking-device').length;
      await graftPage.engine.chooseDevice('wasm');
      const restarted = performance.now();
      await graftPage.engine.chooseDevice('webgpu');
      const secondsAgain = (performance.now() - restarted) / 1000;
      const again = graftPage.events.filter(({ type }) => type === 'checking-device').length;
      return { first, seconds, secondsAgain, checks, again };
    });
    const { first, seconds, secondsAgain } = found;
    console.log(
      `${first.name}: opened in ${seconds.toFixed(1)} s, ${secondsAgain.toFixed(1)} s once checked`,
    );
    expect(found.first).toMatchObject({ choice: 'webgpu', backend: 'webgpu' });
    expect(found.checks).toBeGreaterThan(20);
    expect(found.again).toBe(found.checks);
    await page.close();
  });

  testInChrome('trains on when the GPU process dies', { timeout: 180_000 }, async () => {
    const page = await openTab();
    const id = await newTask(page, examples.slice(0, 64));
    await page.evaluate(async () => graftPage.engine.chooseDevice('webgpu'));
    await page.evaluate(
      async (taskId, options) => {
        graftPage.engine.train(taskId, options).catch(() => undefined);
        await graftPage.seen((event) => event.type === 'step' && event.progress.step >= 2);
      },
      id,
      { ...RECIPE, epochs: 1, batchSize: 8 },
    );
    const session = await browser.target().createCDPSession();
    await session.send('Browser.crashGpuProcess');
    const done = await page.evaluate(async (taskId) => {
      await graftPage.seen(
        (event) => event.type === 'task' && event.task.id === taskId && event.task.status === 'trained',
      );
      const last = graftPage.events.filter((event) => event.type === 'task').at(-1);
      return last?.type === 'task' ? last.task : undefined;
    }, id);
    expect(done?.note).toContain('was lost');
    expect(done?.curves.loss.map(({ step }) => step)).toEqual(Array.from({ length: 6 }, (_, i) => i + 1));
    expect(done?.result?.bestEpoch).toBeGreaterThan(0);
    await page.evaluate((taskId) => graftPage.engine.removeTask(taskId), id);
    await page.close();
  });
});
