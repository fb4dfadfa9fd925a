/** Backbones from files and from the hub, in Chromium on the CPU. The hub is played by the debugger: nothing here leaves the machine. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StaticServer } from '../../tools/static-server.mjs';
import { findBrowser, launchBrowser } from '../support/browser';
import { App, someExamples } from './support/app';
import { buildSite, serveSite } from './support/site';

const chromium = findBrowser('chrome', 'backbones in the web application');
const checkpoint = join(import.meta.dirname, '..', 'golden', 'checkpoints', 'f32');
const files = ['config.json', 'vocab.txt', 'model.safetensors'].map((name) => join(checkpoint, name));

describe.skipIf(chromium === undefined)('backbones', () => {
  let directory = '';
  let server: StaticServer;
  let browser: Browser;
  let app: App;

  beforeAll(async () => {
    directory = buildSite();
    server = await serveSite(directory);
    browser = await launchBrowser('chrome', chromium ?? '');
    app = await App.open(browser, server.url);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    if (directory !== '') rmSync(directory, { recursive: true });
  });

  it('come from files, and tasks of another one wait until theirs is back', async () => {
    await app.newTask('How urgent', someExamples('requests', 4));
    await app.startTraining({ epochs: 1, batchSize: 8 });
    await app.trained();
    await app.page.click('#change-backbone');
    await app.page.click('input[name=backbone][value=files]');
    const [chooser] = await Promise.all([app.page.waitForFileChooser(), app.page.click('#backbone-files')]);
    await chooser.accept(files);
    await app.page.click('#backbone-load');
    await app.matches('#backbone-facts', '^2 layers of 8,');
    expect((await app.tasks())[0]?.about).toMatch(/other backbone$/);
    expect(await app.text('#task-note')).toBe('It was trained on graft-mini. Load that backbone to use it.');
    expect(await app.isHidden('#try-card')).toBe(true);
    await app.page.reload();
    await app.matches('#backbone-facts', '^2 layers of 8,');
    await app.page.click('#change-backbone');
    await app.page.click('input[name=backbone][value=embedded]');
    await app.page.click('#backbone-load');
    await app.ready();
    expect((await app.predict('Now!')).label).not.toBe('');
  });

  it('are dropped onto the page', async () => {
    await app.page.evaluate(
      (dropped) => {
        const transfer = new DataTransfer();
        for (const { name, base64 } of dropped) {
          const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
          transfer.items.add(new File([bytes], name));
        }
        document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true }));
      },
      files.map((path) => ({
        name: path.split('/').at(-1) ?? '',
        base64: readFileSync(path).toString('base64'),
      })),
    );
    await app.matches('#backbone-facts', '^2 layers of 8,');
  });

  it('come from the hub by the page that may reach it, and without it afterwards', async () => {
    const asked = await playHub(app.page);
    await app.page.click('#change-backbone');
    await app.page.click('input[name=backbone][value=hub]');
    await app.fill('#hub-id', 'someone/tiny');
    await Promise.all([app.page.waitForNavigation(), app.page.click('#backbone-load')]);
    await app.shown('#backbone-name', 'someone/tiny');
    expect(app.page.url()).toContain('/hub.html');
    expect(asked).toContain('https://huggingface.co/someone/tiny/resolve/main/model.safetensors');
    asked.length = 0;
    await app.page.goto(server.url);
    await app.shown('#backbone-name', 'someone/tiny');
    expect(asked).toEqual([]);
  });

  it('say what is wrong with them', async () => {
    await app.page.click('#change-backbone');
    await app.page.click('input[name=backbone][value=files]');
    const [chooser] = await Promise.all([app.page.waitForFileChooser(), app.page.click('#backbone-files')]);
    await chooser.accept(files.filter((path) => !path.endsWith('vocab.txt')));
    await app.page.click('#backbone-load');
    await app.page.waitForSelector('#backbone-facts.error-text');
    expect(await app.text('#backbone-facts')).toMatch(/vocab\.txt/);
    // The one that was there goes on.
    expect(await app.text('#backbone-name')).toBe('someone/tiny');
  });
});

/** Answers for the hub with the checkpoint's files, and gives the list of what it is asked for from now on. */
async function playHub(page: Page): Promise<string[]> {
  const session = await page.createCDPSession();
  const asked: string[] = [];
  const responseHeaders = [
    { name: 'access-control-allow-origin', value: '*' },
    { name: 'etag', value: '"1"' },
  ];
  session.on('Fetch.requestPaused', ({ requestId, request: { url } }) => {
    asked.push(url);
    const path = join(checkpoint, url.split('/').at(-1) ?? '');
    const answer = existsSync(path)
      ? { responseCode: 200, body: readFileSync(path).toString('base64') }
      : { responseCode: 404 };
    void session.send('Fetch.fulfillRequest', { requestId, responseHeaders, ...answer });
  });
  await session.send('Fetch.enable', { patterns: [{ urlPattern: 'https://huggingface.co/*' }] });
  return asked;
}
