/** Threads in a Firefox that nothing drives: WebDriver makes it stall where it starts them (see openPage in ../support/browser). */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ISOLATION_HEADERS, type StaticServer, startStaticServer } from '../../tools/static-server.mjs';
import { findBrowser } from '../support/browser';

const firefox = findBrowser('firefox', 'threads in a Firefox that nothing drives');
const VISITS = 3;
const RUNTIMES = 15;

/** As the web application does, a worker opens the device; the page tells the server, visit by visit. */
const files = {
  'index.html': `<!doctype html><title>Threads</title><script>
    const visit = Number(new URLSearchParams(location.search).get('visit'));
    new Worker('worker.js', { type: 'module' }).onmessage = async ({ data }) => {
      await fetch('told/' + encodeURIComponent(visit + ': ' + data));
      if (visit < ${VISITS}) location.search = '?visit=' + (visit + 1);
    };
  </script>`,
  'worker.js': `import { createRuntime } from './graft.js';
    const names = new Set();
    try {
      for (let i = 0; i < ${RUNTIMES}; i++) {
        const runtime = await createRuntime({ backend: 'wasm', threads: 2 });
        names.add(runtime.device.name);
        runtime.dispose();
      }
      postMessage([...names].join('; '));
    } catch (error) {
      postMessage(String(error));
    }`,
};

describe.skipIf(firefox === undefined)('Firefox, driven by nothing', { timeout: 120_000 }, () => {
  const site = mkdtempSync(join(tmpdir(), 'graft-alone-'));
  const profile = mkdtempSync(join(tmpdir(), 'graft-profile-'));
  const told: string[] = [];
  let server: StaticServer;
  let browser: ChildProcess;

  beforeAll(async () => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(site, name), text);
    cpSync(join(import.meta.dirname, '..', '..', 'dist', 'graft.js'), join(site, 'graft.js'));
    server = await startStaticServer({
      directory: site,
      headers: ISOLATION_HEADERS,
      onRequest: (path) => {
        const [, message] = /told\/(.*)$/.exec(path) ?? [];
        if (message !== undefined) told.push(decodeURIComponent(message));
      },
    });
    // No first-run pages and nothing fetched of its own.
    const preferences = { 'browser.shell.checkDefaultBrowser': false, 'browser.aboutwelcome.enabled': false };
    writeFileSync(
      join(profile, 'user.js'),
      Object.entries(preferences)
        .map(([name, value]) => `user_pref("${name}", ${value});\n`)
        .join(''),
    );
    browser = spawn(
      firefox ?? '',
      ['--headless', '--no-remote', '--profile', profile, `${server.url}?visit=1`],
      { stdio: 'ignore' },
    );
  });

  afterAll(async () => {
    const ended = new Promise((resolve) => browser.once('exit', resolve));
    browser.kill('SIGKILL');
    await ended;
    await server.close();
    rmSync(site, { recursive: true });
    // Its helpers may still write for a moment.
    rmSync(profile, { recursive: true, maxRetries: 10 });
  });

  it(`opens and closes two threads ${VISITS * RUNTIMES} times`, async () => {
    await vi.waitFor(() => expect(told).toHaveLength(VISITS), { timeout: 110_000, interval: 200 });
    for (const [index, message] of told.entries()) {
      expect(message).toMatch(new RegExp(`^${index + 1}: CPU \\(WebAssembly .*SIMD, 2 threads\\)$`));
    }
  });
});
