/** The benchmark's page in a real browser: it measures on both backends, and its JSON can be saved. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BenchDocument } from '../../bench/report/table';
import { findBrowser, launchBrowser } from '../support/browser';
import { downloadBy } from '../support/download';

const root = join(import.meta.dirname, '..', '..');
const chromium = findBrowser('chrome', 'the benchmark page');

/** `npm run bench:page` on a free port; resolves with the URL that it prints. */
async function startServer(): Promise<{ readonly server: ChildProcess; readonly url: string }> {
  const script = join('tools', 'bench', 'page.mjs');
  const server = spawn(process.execPath, [script, '--port', '0'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  const url = await new Promise<string>((resolve, reject) => {
    server.on('exit', (code) => reject(new Error(`the server ended with code ${code}: ${printed}`)));
    server.stdout.on('data', (chunk) => {
      printed += chunk;
      const found = /http:\S+/.exec(printed);
      if (found !== null) resolve(found[0]);
    });
  });
  return { server, url };
}

describe.skipIf(chromium === undefined)('the benchmark page in Chromium', () => {
  const downloads = mkdtempSync(join(tmpdir(), 'graft-bench-page-'));
  let server: ChildProcess | undefined;
  let browser: Browser | undefined;
  let url = '';

  beforeAll(async () => {
    ({ server, url } = await startServer());
    browser = await launchBrowser('chrome', chromium ?? '');
  });

  afterAll(async () => {
    await browser?.close();
    server?.kill();
    rmSync(downloads, { recursive: true });
  });

  async function open(): Promise<Page> {
    if (browser === undefined) throw new Error('there is no browser');
    const page = await browser.newPage();
    await page.goto(url);
    return page;
  }

  /** Runs the quick set, saves, and returns what was saved. */
  async function measure(page: Page, backend: 'wasm' | 'webgpu'): Promise<BenchDocument> {
    await page.select('select[name=backend]', backend);
    await page.click('input[name=quick]');
    await page.click('#run');
    await page.waitForFunction("!document.querySelector('#run').disabled", { timeout: 400_000 });
    expect(await page.$eval('#status', (status) => status.textContent)).toMatch(/^Done: /);
    const directory = mkdtempSync(join(downloads, `${backend}-`));
    const file = await downloadBy(page, directory, () => page.click('#save'));
    return JSON.parse(readFileSync(file, 'utf8'));
  }

  it('is isolated, and names what it asks for', async () => {
    const page = await open();
    expect(await page.evaluate('crossOriginIsolated')).toBe(true);
    const unnamed =
      "[...document.querySelectorAll('select, input')].filter((e) => e.labels.length === 0).length";
    expect(await page.evaluate(unnamed)).toBe(0);
    await page.close();
  });

  it.each(['wasm', 'webgpu'] as const)('measures on %s', { timeout: 420_000 }, async (backend) => {
    const page = await open();
    const { machine, isQuick, tables } = await measure(page, backend);
    expect(machine.backend).toBe(backend);
    expect(isQuick).toBe(true);
    const [probes, kernels] = tables;
    expect(probes?.rows.length).toBeGreaterThan(2);
    expect(kernels?.rows.length).toBeGreaterThan(30);
    for (const row of kernels?.rows ?? []) {
      expect(row.milliseconds, String(row.kernel)).toBeGreaterThan(0);
      expect(Number.isFinite(row.milliseconds), String(row.kernel)).toBe(true);
      expect(Number.isFinite(row.share), String(row.kernel)).toBe(true);
    }
    // The page shows what it saves: a row of the table for each, with a heading that names it.
    const shown = await page.$$eval('table', (found) => found.map((table) => table.tBodies[0]?.rows.length));
    expect(shown).toEqual(tables.map(({ rows }) => rows.length));
    expect(
      await page.$$eval(
        'tbody tr',
        (rows) => rows.filter((row) => !row.querySelector('th[scope=row]')).length,
      ),
    ).toBe(0);
    await page.close();
  });

  it('can be stopped', async () => {
    const page = await open();
    await page.click('#run');
    await page.click('#stop');
    expect(await page.$eval('#status', (status) => status.textContent)).toBe('Stopped.');
    expect(await page.$eval('#run', (run) => run.hasAttribute('disabled'))).toBe(false);
    await page.close();
  });
});
