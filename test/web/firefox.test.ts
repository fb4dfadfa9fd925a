/** The web application in Firefox, on a server that sends no headers: one visit, then without the server. */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { StaticServer } from '../../tools/static-server.mjs';
import { findBrowser, launchBrowser } from '../support/browser';
import { App, someExamples } from './support/app';
import { buildSite, serveSite } from './support/site';

const firefox = findBrowser('firefox', 'the web application in Firefox');

const SETTINGS = { epochs: 4, batchSize: 8 };
const URGENT = 'The alarm is ringing and there is smoke in the kitchen!';

describe.skipIf(firefox === undefined)('the web application in Firefox', { timeout: 180_000 }, () => {
  const downloads = mkdtempSync(join(tmpdir(), 'graft-firefox-'));
  let directory = '';
  let server: StaticServer;
  let browser: Browser;
  let app: App;

  beforeAll(async () => {
    directory = buildSite();
    server = await serveSite(directory, { headers: {} });
    browser = await launchBrowser('firefox', firefox ?? '', downloads);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    if (directory !== '') rmSync(directory, { recursive: true });
    rmSync(downloads, { recursive: true });
  });

  it('has threads from the first visit on', async () => {
    app = await App.open(browser, server.url, undefined, 'firefox');
    expect(await app.page.evaluate('crossOriginIsolated')).toBe(true);
    expect(await app.text('#device-name')).toMatch(/^CPU: .*\d+ threads/);
  });

  it('trains two tasks, switches between them, and pauses', async () => {
    await app.newTask('How urgent', someExamples('requests', 20));
    await app.startTraining(SETTINGS);
    await app.trained();
    expect(await app.accuracy()).toBeGreaterThan(100 / 3);
    const urgency = await app.predict(URGENT);
    await app.newTask('Liked it', someExamples('reviews', 12));
    await app.startTraining({ epochs: 20, batchSize: 4 });
    await app.reached(5);
    await app.page.click('#pause');
    await app.shown('#train', 'Resume');
    await app.choose('How urgent');
    expect(await app.prediction()).toEqual(urgency);
  });

  it('downloads an adapter, and loads it again as a task that predicts the same', async () => {
    const urgency = await app.predict(URGENT);
    await app.page.click('#download');
    const zip = await vi.waitFor(
      () => {
        const name = readdirSync(downloads).find((entry) => entry.endsWith('.zip'));
        const path = join(downloads, name ?? 'none');
        // Until all is there the file is empty, and a .part lies beside it.
        const isWhole = existsSync(path) && statSync(path).size > 0 && readdirSync(downloads).length === 1;
        if (!isWhole) throw new Error('nothing was saved yet');
        return path;
      },
      { timeout: 20_000 },
    );
    // By the input that the button opens: puppeteer has no file chooser for Firefox.
    const input = await app.page.$('input#upload-files');
    if (input === null) throw new Error('there is no such input');
    await input.uploadFile(zip);
    await app.page.waitForFunction("document.querySelectorAll('#task-list li').length === 3");
    await app.page.waitForSelector('#task-list li:last-child a[aria-current]');
    expect(await app.predict(URGENT)).toEqual(urgency);
  });

  it('finds everything again without the server, and goes on', async () => {
    const tasks = await app.tasks();
    const urgency = await app.predict(URGENT);
    await server.close();
    await app.reload();
    expect(await app.page.evaluate('crossOriginIsolated')).toBe(true);
    expect(await app.tasks()).toEqual(tasks);
    expect(await app.predict(URGENT)).toEqual(urgency);
    await app.choose('Liked it');
    await app.page.click('#train');
    await app.trained();
    expect(Object.keys((await app.predict('A lovely evening.')).scores).sort()).toEqual([
      'negative',
      'positive',
    ]);
  });
});
