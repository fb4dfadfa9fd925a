/** The web application with its engine, in Chromium on the CPU: what a visitor does, from the first visit to the one without a network. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'puppeteer';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StaticServer } from '../../tools/static-server.mjs';
import { findBrowser, launchBrowser } from '../support/browser';
import { downloadBy } from '../support/download';
import { App, someExamples } from './support/app';
import { longestTask } from './support/main-thread';
import { buildSite, serveSite } from './support/site';

const chromium = findBrowser('chrome', 'the web application');

const SETTINGS = { epochs: 6, batchSize: 8 };
/** Three labels, about equally frequent: guessing is right in a third. */
const CHANCE = 100 / 3;
const URGENT = 'The alarm is ringing and there is smoke in the kitchen!';

describe.skipIf(chromium === undefined)('the web application in Chromium, on the CPU', () => {
  const downloads = mkdtempSync(join(tmpdir(), 'graft-web-'));
  const served: string[] = [];
  let directory = '';
  let server: StaticServer;
  let browser: Browser;
  let app: App;

  beforeAll(async () => {
    directory = buildSite();
    server = await serveSite(directory, { onRequest: (path) => served.push(path) });
    browser = await launchBrowser('chrome', chromium ?? '');
  });

  beforeEach(({ onTestFailed }) => onTestFailed(() => app?.shoot('failure')));

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(downloads, { recursive: true });
    if (directory !== '') rmSync(directory, { recursive: true });
  });

  it('has scripts below 250 KB gzipped, the library included', () => {
    const sizes = ['page.js', 'worker.js', 'sw.js'].map(
      (file) => gzipSync(readFileSync(join(directory, file)), { level: 9 }).length,
    );
    expect(sizes.reduce((a, b) => a + b)).toBeLessThan(250_000);
  });

  it('is ready within 3 s of the first visit', async () => {
    const times: number[] = [];
    // Other work on the machine can only make it slower, so the best of three tells how fast the page is.
    for (let visit = 0; visit < 3; visit++) {
      const context = await browser.createBrowserContext();
      const visited = await App.open(context, server.url);
      times.push(await visited.page.evaluate(() => performance.now()));
      await context.close();
    }
    console.info(`ready after ${times.map((time) => `${Math.round(time)} ms`).join(', ')}`);
    expect(Math.min(...times)).toBeLessThan(3000);
  });

  it('trains a task on pasted examples, and tells how good it is', async () => {
    app = await App.open(browser, server.url);
    await app.newTask('How urgent', someExamples('requests', 20));
    expect(await app.text('#data-check')).toMatch(/60 examples · 3 classes/);
    await app.startTraining(SETTINGS);
    await app.trained();
    expect(await app.accuracy()).toBeGreaterThan(CHANCE);
    expect(await app.text('#result-lead')).toMatch(/^On 12 held-out examples/);
    expect(await app.page.$$eval('.matrix tbody tr', (rows) => rows.length)).toBe(3);
    expect(await app.text('#comparison')).toMatch(/Frozen backbone \+ logistic regression\d+\.\d%/);
    expect(await app.isHidden('#charts')).toBe(false);
    await app.shoot('trained');
  });

  it('draws without keeping the page from its frames, and asks the network for nothing, while it trains', async () => {
    const before = served.length;
    const { cpu, wall } = await longestTask(app.page, async () => {
      await app.startTraining(SETTINGS);
      await app.page.waitForSelector('#pause:not([hidden])');
      await app.predict(URGENT);
      await app.trained();
    });
    console.info(`longest task of the main thread: ${cpu.toFixed(1)} ms, ${wall.toFixed(1)} ms on the clock`);
    // Two threads train on what may be two cores, so on the clock a task also takes what the machine gives to others. What the
    // page does in it is the thread's own time.
    expect(cpu).toBeGreaterThan(0);
    expect(cpu).toBeLessThan(50);
    expect(served.slice(before).filter((path) => path !== '/sw.js')).toEqual([]);
  });

  it('predicts as one types, in another task as soon as it is chosen', async () => {
    const urgency = await app.predict(URGENT);
    expect(Object.keys(urgency.scores).sort()).toEqual(['now', 'soon', 'whenever']);
    expect(sum(Object.values(urgency.scores))).toBeCloseTo(100, 0);
    await app.newTask('Liked it', someExamples('reviews', 20));
    await app.startTraining(SETTINGS);
    await app.trained();
    expect(Object.keys((await app.prediction()).scores).sort()).toEqual(['negative', 'positive']);
    await app.choose('How urgent');
    expect(await app.prediction()).toEqual(urgency);
    for (const { about } of await app.tasks()) expect(about).toMatch(/^\d+\.\d% · \d+ KB$/);
  });

  it('downloads an adapter, and loads it again as a task that predicts the same', async () => {
    const urgency = await app.predict(URGENT);
    const zip = await downloadBy(app.page, downloads, () => app.page.click('#download'));
    await app.upload(zip);
    await app.page.waitForFunction("document.querySelectorAll('#task-list li').length === 3");
    await app.page.waitForSelector('#task-list li:last-child a[aria-current]');
    expect(await app.predict(URGENT)).toEqual(urgency);
    await app.page.click('#rename');
    await app.fill('#new-name', 'From a file');
    await app.page.keyboard.press('Enter');
    await app.shows('From a file');
  });

  it('finds everything again after a reload, and without a network', async () => {
    await app.choose('How urgent');
    const urgency = await app.predict(URGENT);
    const tasks = await app.tasks();
    await app.reload();
    expect(await app.tasks()).toEqual(tasks);
    expect(await app.text('#task-title')).toBe('How urgent');
    expect(await app.predict(URGENT)).toEqual(urgency);
    await app.page.setOfflineMode(true);
    await server.close();
    await app.reload();
    expect(await app.tasks()).toEqual(tasks);
    expect(await app.predict(URGENT)).toEqual(urgency);
    await app.newTask('Made offline', someExamples('messages', 4));
    await app.startTraining({ epochs: 1, batchSize: 8 });
    await app.trained();
    await app.page.setOfflineMode(false);
    server = await serveSite(directory, { port: Number(new URL(server.url).port) });
  });

  it('pauses, goes on after a reload, and can be cancelled', async () => {
    await app.choose('Liked it');
    await app.startTraining({ epochs: 12, batchSize: 4 });
    await app.reached(10);
    await app.page.click('#pause');
    await app.shown('#train', 'Resume');
    const paused = await app.text('#progress-text');
    expect(paused).toMatch(/^Paused at step \d+ of 96\./);
    await app.reload();
    expect(await app.text('#progress-text')).toBe(paused);
    await app.page.click('#train');
    await app.reached(30);
    await app.page.click('#pause');
    await app.shown('#train', 'Resume');
    await app.page.click('#cancel');
    await app.shown('#train', 'Train again');
    // What was trained before is still there.
    expect((await app.predict('A lovely evening.')).label).not.toBe('');
  });

  it('follows another tab', async () => {
    await app.choose('Liked it');
    const other = await App.open(browser, server.url);
    await other.choose('Liked it');
    await other.startTraining({ epochs: 20, batchSize: 4 });
    await other.reached(3);
    // The first tab shows it, and may stop it.
    await app.page.bringToFront();
    await app.reached(3);
    expect(await app.page.$eval('#train', (button) => button.hasAttribute('disabled'))).toBe(true);
    await app.page.click('#pause');
    await other.shown('#train', 'Resume');
    // And go on with it.
    await app.page.click('#train');
    await other.matches('#progress-text', '^Training');
    await app.page.click('#cancel');
    await other.shown('#train', 'Train again');
    await app.page.click('#remove');
    await app.page.click('#confirm-yes');
    await app.page.waitForSelector('#start-view:not([hidden])');
    await other.page.bringToFront();
    await other.page.waitForSelector('#start-view:not([hidden])');
    expect((await other.tasks()).map(({ name }) => name)).not.toContain('Liked it');
    await other.page.close();
  });

  it('goes on where the storage is full, and says so', async () => {
    // Chromium looks only now and then how much room there is; where nothing was written yet, it looks at once.
    const context = await browser.createBrowserContext();
    const full = await App.open(context, server.url);
    const session = await full.page.createCDPSession();
    const { origin } = new URL(server.url);
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 100_000 });
    await full.newTask('No room', someExamples('requests', 6));
    await full.startTraining({ epochs: 1, batchSize: 8 });
    await full.trained();
    await full.matches('#storage-note', 'is full');
    expect((await full.predict(URGENT)).label).not.toBe('');
    await full.shoot('storage-full');
    await context.close();
  });
});

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
