/** The web application in Firefox, on a server that sends no headers: one visit, then without the server. */
import { rmSync } from 'node:fs';
import type { Browser } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StaticServer } from '../../tools/static-server.mjs';
import { findBrowser, launchBrowser } from '../support/browser';
import { App, someExamples } from './support/app';
import { buildSite, serveSite } from './support/site';

const firefox = findBrowser('firefox', 'the web application in Firefox');

const SETTINGS = { epochs: 4, batchSize: 8 };
const URGENT = 'The alarm is ringing and there is smoke in the kitchen!';

describe.skipIf(firefox === undefined)('the web application in Firefox', { timeout: 120_000 }, () => {
  let directory = '';
  let server: StaticServer;
  let browser: Browser;
  let app: App;

  beforeAll(async () => {
    directory = buildSite();
    server = await serveSite(directory, { headers: {} });
    browser = await launchBrowser('firefox', firefox ?? '');
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    if (directory !== '') rmSync(directory, { recursive: true });
  });

  it('has threads from the first visit on', async () => {
    app = await App.open(browser, server.url);
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
