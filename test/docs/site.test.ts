/** The documentation's site, where what builds it is installed (`npm run docs` does that): it is whole, and needs no other place. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import * as api from '../../src/index';
import { findBrowser, launchBrowser } from '../support/browser';
import { repository } from '../support/package';
import { serveFolder } from '../support/static';

const site = join(repository, 'build', 'site', 'docs');
const isInstalled = existsSync(join(repository, 'docs', 'site', 'node_modules', 'typedoc'));
if (!isInstalled) console.warn('skipped: the documentation site; `npm run docs` installs what builds it');
const chrome = findBrowser('chrome', 'the documentation site in Chromium');

describe.skipIf(!isInstalled)('the documentation site', () => {
  let pages: string[];

  beforeAll(() => {
    // Broken links and exports without docstrings are errors of the build.
    execFileSync(process.execPath, ['tools/docs.mjs'], { cwd: repository, stdio: 'pipe' });
    pages = readdirSync(site, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'));
  }, 120_000);

  it('has every page of the guide, every derivation and every export', () => {
    const text = pages.join('\n');
    for (const folder of ['docs/guide', 'docs/derivations']) {
      for (const name of readdirSync(join(repository, folder)).filter((file) => file.endsWith('.md'))) {
        const markdown = readFileSync(join(repository, folder, name), 'utf8');
        const [title = ''] = /(?<=^# ).*$/m.exec(markdown) ?? [];
        expect(text).toContain(`documents/${title.replaceAll(' ', '_')}.html`);
      }
    }
    for (const name of Object.keys(api)) expect(text).toMatch(new RegExp(`/graft-ml\\.${name}\\.html`));
  });

  it('links to itself alone, and every link leads somewhere', () => {
    for (const page of pages) {
      const html = readFileSync(join(site, page), 'utf8');
      for (const [, target = ''] of html.matchAll(/<(?:script|link|img)[^>]+?(?:src|href)="([^"]+)"/g)) {
        expect(target, page).not.toMatch(/^(https?:)?\/\//);
      }
      for (const [, target = ''] of html.matchAll(/(?:src|href)="([^"#?]+)[^"]*"/g)) {
        if (/^(https?|mailto|data):/.test(target)) continue;
        const path = normalize(join(dirname(page), decodeURIComponent(target)));
        expect(existsSync(join(site, path)), `${target} in ${page}`).toBe(true);
      }
    }
  });

  it.skipIf(chrome === undefined)(
    'asks no other server for anything, and finds by search',
    { timeout: 60_000 },
    async () => {
      const server = await serveFolder(site);
      const browser = await launchBrowser('chrome', chrome ?? '');
      try {
        const page = await browser.newPage();
        const requested: string[] = [];
        page.on('request', (request) => requested.push(request.url()));
        await page.goto(`${server.url}/documents/How_it_works.html`, { waitUntil: 'networkidle0' });
        const pictures = await page.$$eval('article img, .tsd-typography img', (images) =>
          images.map((image) => image.naturalWidth),
        );
        expect(pictures.length).toBe(4);
        for (const width of pictures) expect(width).toBeGreaterThan(0);
        await page.click('#tsd-search-trigger');
        await page.type('#tsd-search-input', 'bottleneck');
        await page.waitForSelector('#tsd-search-results li');
        expect(requested.filter((url) => !url.startsWith(server.url) && !url.startsWith('data:'))).toEqual(
          [],
        );
      } finally {
        await browser.close();
        await server.close();
      }
    },
  );
});
