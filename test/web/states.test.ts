/**
 * The page in states that a real engine seldom gets into, with one that computes nothing: what it shows, whether the keyboard and a
 * screen reader can use it, and whether it fits a phone.
 */
import { readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StaticServer } from '../../tools/static-server.mjs';
import { findBrowser, launchBrowser } from '../support/browser';
import { App } from './support/app';
import { buildSite, serveSite } from './support/site';

const chromium = findBrowser('chrome', 'the web application');
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** In the page, once its source was evaluated there. */
declare const axe: typeof import('axe-core');

const SCREENS = ['start', 'trained', 'paused', 'new', 'other-backbone'] as const;
const TASK_OF: Readonly<Record<(typeof SCREENS)[number], string | undefined>> = {
  start: undefined,
  trained: 'messages',
  paused: 'urgency',
  new: 'draft',
  'other-backbone': 'other',
};

describe.skipIf(chromium === undefined)('the web application, whatever the engine says', () => {
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

  async function openScreen(name: (typeof SCREENS)[number]): Promise<App> {
    const task = TASK_OF[name];
    const app = await App.open(browser, `${server.url}${task === undefined ? '' : `#task/${task}`}`);
    if (task !== undefined) await app.page.waitForSelector('#rows tr', { visible: true });
    return app;
  }

  async function setScheme(page: Page, scheme: 'light' | 'dark'): Promise<void> {
    await page.emulateMediaFeatures([
      { name: 'prefers-color-scheme', value: scheme },
      // Colours that are still changing cannot be measured.
      { name: 'prefers-reduced-motion', value: 'reduce' },
    ]);
  }

  /** Rule and element of each violation. The page's policy forbids scripts in it, so axe comes by the debugger. */
  async function violations(page: Page): Promise<string[]> {
    await page.evaluate(axeSource);
    const results = await page.evaluate(() => axe.run(document));
    return results.violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html }) => `${id}: ${html.slice(0, 120)}`),
    );
  }

  it.each(SCREENS)('%s: no violation that axe finds, light and dark', async (name) => {
    const app = await openScreen(name);
    for (const scheme of ['light', 'dark'] as const) {
      await setScheme(app.page, scheme);
      expect(await violations(app.page), scheme).toEqual([]);
      await app.shoot(`states-${name}-1280-${scheme}`);
    }
    await app.page.close();
  });

  it('has no violation in its dialogs', async () => {
    const app = await openScreen('trained');
    for (const [opener, dialog] of [
      ['#change-backbone', 'backbone'],
      ['#add-examples', 'import'],
      ['#rename', 'rename'],
      ['#remove', 'confirm'],
    ] as const) {
      for (const scheme of ['light', 'dark'] as const) {
        await setScheme(app.page, scheme);
        await app.page.click(opener);
        await app.page.waitForSelector(`#${dialog}-dialog[open]`);
        expect(await violations(app.page), `${dialog}, ${scheme}`).toEqual([]);
        await app.page.screenshot({ path: `build/screenshots/dialog-${dialog}-${scheme}.png` });
        await app.page.keyboard.press('Escape');
      }
    }
    await app.page.close();
  });

  it.each(SCREENS)('%s: fits 360 pixels', async (name) => {
    const app = await openScreen(name);
    for (const width of [390, 360]) {
      await app.page.setViewport({ width, height: 780 });
      const scrolled = await app.page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      expect(scrolled, `${width} pixels`).toBe(0);
    }
    await app.page.setViewport({ width: 390, height: 780 });
    for (const scheme of ['light', 'dark'] as const) {
      await setScheme(app.page, scheme);
      await app.shoot(`states-${name}-390-${scheme}`);
    }
    await app.page.close();
  });

  it('says why a backbone could not be loaded', async () => {
    const app = await openScreen('start');
    await app.page.click('#change-backbone');
    await app.page.click('#backbone-load');
    await app.page.waitForSelector('#backbone-facts.error-text');
    expect(await app.text('#backbone-facts')).toBe(
      'model.safetensors: its header is cut off at byte 812. Download the file again.',
    );
    await app.page.close();
  });

  it('asks before it deletes, and takes no for an answer', async () => {
    const app = await openScreen('new');
    const before = (await app.tasks()).length;
    await app.page.click('#remove');
    await app.page.keyboard.press('Escape');
    await app.page.waitForSelector('#confirm-dialog:not([open])');
    expect(await app.tasks()).toHaveLength(before);
    await app.page.click('#remove');
    await app.page.click('#confirm-yes');
    await app.page.waitForSelector('#start-view:not([hidden])');
    expect((await app.tasks()).map(({ name }) => name)).not.toContain('A draft');
    await app.page.close();
  });

  it('can be worked by the keyboard alone', async () => {
    const app = await openScreen('start');
    const { keyboard } = app.page;
    const focused = () =>
      app.page.evaluate('document.activeElement?.id || document.activeElement?.textContent?.trim()');
    await keyboard.press('Tab');
    expect(await focused()).toBe('skip');
    await keyboard.press('Enter');
    expect(await focused()).toBe('main');
    await app.page.focus('#paste');
    await keyboard.type('text,label');
    await keyboard.press('Tab');
    expect(await focused()).toBe('read-paste');
    await keyboard.press('Enter');
    await app.page.waitForSelector('#review-check .bar', { visible: true });
    await app.page.focus('#task-name');
    await keyboard.type('By keyboard');
    await keyboard.press('Enter');
    await app.shows('By keyboard');
    expect(await focused()).toBe('task-title');
    // Rows are typed in one after another: Enter in a label goes to the next text, and past the last one to a new row.
    await app.page.click('#add-row');
    await keyboard.type('What does it cost?');
    await keyboard.press('Tab');
    await keyboard.type('billing');
    await keyboard.press('Enter');
    await keyboard.type('One more');
    const rows = await app.page.$$eval('#rows .example-text', (fields) =>
      fields.slice(-2).map((field) => ('value' in field ? field.value : '')),
    );
    expect(rows).toEqual(['What does it cost?', 'One more']);
    await app.page.close();
  });

  it('shows the rows that a finding is about', async () => {
    const app = await openScreen('new');
    await app.page.click('.findings button');
    const numbers = await app.page.$$eval('#rows th', (cells) => cells.map(({ textContent }) => textContent));
    expect(numbers).toEqual(['6', '18']);
    await app.page.close();
  });

  it('tells a screen reader how a training ended', async () => {
    const app = await openScreen('trained');
    await app.page.click('#train');
    await app.page.waitForFunction("document.getElementById('live')?.textContent?.includes('trained')");
    expect(await app.text('#live')).toBe(
      'Messages to a shop is trained: accuracy 87.3% on held-out examples, in 31 s.',
    );
    await app.page.close();
  });

  it('shows what a dropped table holds, before it becomes a task', async () => {
    const app = await openScreen('start');
    await app.page.evaluate(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(['text,label'], 'letters.csv'));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true }));
    });
    await app.page.waitForSelector('#review-check .bar', { visible: true });
    expect(await app.page.$eval('#task-name', (field) => ('value' in field ? field.value : ''))).toBe(
      'letters',
    );
    for (const scheme of ['light', 'dark'] as const) {
      await setScheme(app.page, scheme);
      expect(await violations(app.page), scheme).toEqual([]);
      await app.shoot(`states-review-1280-${scheme}`);
    }
    await app.page.setViewport({ width: 360, height: 780 });
    await app.shoot('states-review-360-dark');
    await app.page.close();
  });
});
