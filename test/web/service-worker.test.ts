/** What the service worker promises: threads on any file server, the page without a network, and updates between whole versions. */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StaticServer } from '../../tools/static-server.mjs';
import { findBrowser, launchBrowser } from '../support/browser';
import { App } from './support/app';
import { buildSite, serveSite } from './support/site';

const chromium = findBrowser('chrome', "the web application's service worker");

const hashOf = (content: string) => `sha256-${createHash('sha256').update(content).digest('base64')}`;

describe.skipIf(chromium === undefined)('the service worker, on a server that sends no headers', () => {
  let directory = '';
  let server: StaticServer;
  let browser: Browser;

  beforeAll(async () => {
    directory = buildSite('test/web/support/fake-engine.ts');
    server = await serveSite(directory, { headers: {} });
    browser = await launchBrowser('chrome', chromium ?? '');
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    if (directory !== '') rmSync(directory, { recursive: true });
  });

  it('gives isolation at the first visit, after one reload', async () => {
    const loads: string[] = [];
    const page = await browser.newPage();
    page.on('load', () => loads.push(page.url()));
    await page.goto(server.url);
    await page.waitForFunction('crossOriginIsolated', { timeout: 15_000 });
    await page.waitForFunction("document.getElementById('backbone-name')?.textContent === 'graft-mini'");
    expect(loads).toHaveLength(2);
    await page.close();
  });

  it('serves the page, its sets and the benchmark without a server', async () => {
    const app = await App.open(browser, server.url);
    const { port } = new URL(server.url);
    await server.close();
    await app.reload();
    expect(await app.page.evaluate('crossOriginIsolated')).toBe(true);
    await app.page.click('[data-set="reviews.tsv"]');
    await app.shows('Reviews');
    await app.page.goto(`${server.url}bench/`);
    expect(await app.text('h1')).toMatch(/kernels/);
    await app.page.close();
    server = await serveSite(directory, { headers: {}, port: Number(port) });
  });

  it('keeps to its version until the user takes the next one', async () => {
    const app = await App.open(browser, server.url);
    const fetchIcon = () => app.page.evaluate("fetch('icon.svg').then((response) => response.text())");
    // Browsers look at each visit, but not at once.
    const lookForUpdate = () =>
      app.page.evaluate('navigator.serviceWorker.getRegistration().then((found) => found.update())');
    const path = join(directory, 'icon.svg');
    const before = readFileSync(path, 'utf8');
    const after = before.replace('Graft', 'Graft anew');
    const worker = readFileSync(join(directory, 'sw.js'), 'utf8');
    expect(worker).toContain(hashOf(before));
    // Half an update, as a server has it between two versions: what does not fit together is not taken.
    writeFileSync(join(directory, 'sw.js'), worker.replace(hashOf(before), hashOf(after)));
    await lookForUpdate();
    await app.page.waitForFunction(
      'navigator.serviceWorker.getRegistration().then(({ installing, waiting }) => !installing && !waiting)',
    );
    await app.reload();
    expect(await fetchIcon()).toBe(before);
    // The other half.
    writeFileSync(path, after);
    await lookForUpdate();
    await app.page.waitForSelector('#notices .notice button');
    expect(await fetchIcon()).toBe(before);
    await Promise.all([app.page.waitForNavigation(), app.page.click('#notices .notice button')]);
    await app.ready();
    expect(await fetchIcon()).toBe(after);
    await app.page.close();
  });
});

describe.skipIf(chromium === undefined)('the policy of the page', () => {
  let directory = '';
  let server: StaticServer;
  let browser: Browser;

  beforeAll(async () => {
    directory = buildSite('test/web/support/fake-engine.ts');
    server = await serveSite(directory);
    browser = await launchBrowser('chrome', chromium ?? '');
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    if (directory !== '') rmSync(directory, { recursive: true });
  });

  /** Which policy forbade the worker to fetch `url`; undefined: none did. */
  const TRY_IN_WORKER = `async (url) => {
    let directive;
    addEventListener('securitypolicyviolation', (event) => { directive = event.effectiveDirective; });
    await fetch(url, { mode: 'no-cors' }).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 100));
    return directive;
  }`;

  it.each([
    { page: '', url: 'https://huggingface.co/api/models', directive: 'connect-src' },
    { page: '', url: 'https://example.com/', directive: 'connect-src' },
    { page: 'hub.html', url: 'https://huggingface.co/api/models', directive: undefined },
    { page: 'hub.html', url: 'https://example.com/', directive: 'connect-src' },
  ])('/$page: the worker asks for $url → $directive', async ({ page, url, directive }) => {
    const app = await App.open(browser, `${server.url}${page}`);
    const [worker] = app.page.workers();
    expect(await worker?.evaluate(`(${TRY_IN_WORKER})(${JSON.stringify(url)})`)).toBe(directive);
    await app.page.close();
  });

  it('leaves for the page that may reach the hub only when a hub id is asked for, and keeps the task', async () => {
    const app = await App.open(browser, `${server.url}#task/draft`);
    await app.page.click('#change-backbone');
    await app.page.click('input[name=backbone][value=hub]');
    await app.page.click('#backbone-load');
    expect(await app.text('#backbone-problem')).toMatch(/organisation\/name/);
    await app.fill('#hub-id', 'sentence-transformers/all-MiniLM-L6-v2');
    await Promise.all([app.page.waitForNavigation(), app.page.click('#backbone-load')]);
    await app.page.waitForSelector('#backbone-facts.error-text');
    expect(app.page.url()).toBe(`${server.url}hub.html#task/draft`);
    await app.shows('A draft');
    await app.page.close();
  });
});
