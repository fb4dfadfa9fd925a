/** Every program in docs/guide runs, on the installed package. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as errors from '../../src/errors';
import { findBrowser } from '../support/browser';
import { codeBlocks, guidePage } from '../support/markdown';
import { type InstalledPackage, installPackage, repository } from '../support/package';
import { openUntil } from '../support/page';
import { serveFolder } from '../support/static';

let user: InstalledPackage;
beforeAll(() => {
  user = installPackage();
});
afterAll(() => user.remove());

/** What the programs say. A page's blocks are one program, in the order in which they stand. */
const says: Readonly<Record<string, RegExp>> = {
  'quick-start':
    /epoch 12: loss 0\.[\s\S]*\n(billing|delivery), [01]\.\d\d\n[\s\S]*label: ['"](billing|delivery)/,
  classification:
    /best epoch \d, \d+ parameters trained[\s\S]*(now|whenever) 0\.[\s\S]*finished after 8 steps\n\d+ \d+ \d+/,
  pairs: /0 examples were cut\n(answers|does not)/,
  'token-classification': /6 \d\.\d\d[\s\S]*\n(person|place): /,
  'question-answering': /4 \d\.\d\d \d\.\d\d\n.+ \d+ 20\n/,
  regression: /4 -?\d[\d.e-]* -?\d[\s\S]*\n-?\d\.\d+/,
  'multi-label':
    /12 [01][\d.]* [01][\d.]*\n\[[^\]]*\] \{\s*room: 0\.\d+,\s*staff: 0\.\d+\s*\}\n4 steps, weighted/,
  // Exactly what the page says that it prints.
  methods: new RegExp(
    `^${codeBlocks(guidePage('methods')).find(({ language }) => language === 'text')?.code}$`,
  ),
  composition:
    /^(billing|delivery) (now|later|never)\n[\s\S]*label: '(billing|delivery)'[\s\S]*\n(billing|delivery) (now|later|never)\n(no|yes)\n(billing|delivery)\s*$/,
  'in-a-page': /\[[\s\S]*'adapter\.safetensors'[\s\S]*\]/,
  troubleshooting: /\w/,
};

/** Their programs are those of test/platform/bundlers.test.ts. */
const elsewhere = ['bundlers'];

const pages = readdirSync(join(repository, 'docs', 'guide'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => name.slice(0, -'.md'.length));
const programOf = (page: string) =>
  codeBlocks(guidePage(page))
    .filter(({ language, note }) => language === 'js' && note === '')
    .map(({ code }) => code)
    .join('\n');
const chrome = findBrowser('chrome', "the guide's page in Chromium");

describe('programs in the guide', { timeout: 180_000 }, () => {
  it('are all run here or elsewhere', () => {
    const withPrograms = pages.filter((page) => programOf(page) !== '');
    expect(withPrograms.sort()).toEqual([...Object.keys(says), ...elsewhere].sort());
    const languages = new Set(
      pages.flatMap((page) => codeBlocks(guidePage(page)).map(({ language }) => language)),
    );
    expect([...languages].sort()).toEqual(['html', 'js', 'sh', 'text']);
  });

  it.each(Object.entries(says))('%s: runs in Node', async (page, expected) => {
    writeFileSync(join(user.directory, `${page}.mjs`), `${programOf(page)}\nprocess.exit(0);\n`);
    expect(await user.run(process.execPath, [`${page}.mjs`])).toMatch(expected);
  });

  it('quick start: runs in Deno, with the permissions that it says', async () => {
    const command =
      codeBlocks(guidePage('quick-start')).find(({ code }) => code.startsWith('deno run'))?.code ?? '';
    const [, ...options] = command.trim().split(' ').slice(0, -1);
    const name = 'deno.mjs';
    writeFileSync(join(user.directory, name), `${programOf('quick-start')}\nDeno.exit(0);\n`);
    const deno = join(repository, 'node_modules', '.bin', 'deno');
    const args = ['run', '--no-prompt', '--no-lock', '--node-modules-dir=manual', ...options.slice(1), name];
    expect(await user.run(deno, args)).toMatch(says['quick-start'] ?? /./);
  });

  it.skipIf(chrome === undefined)('quick start: its page runs in Chromium', async () => {
    const html = codeBlocks(guidePage('quick-start')).find(({ language }) => language === 'html')?.code ?? '';
    const server = await serveFolder(user.directory, { pages: { '/': html } });
    const condition =
      "/^(negative|positive), [01]\\.\\d\\d$/.test(document.querySelector('output').textContent)";
    await openUntil(chrome ?? '', `${server.url}/`, condition).finally(() => server.close());
  });

  describe.skipIf(chrome === undefined)('in a page: its policy', () => {
    const blocks = codeBlocks(guidePage('in-a-page')).filter(({ language }) => language === 'text');
    const policy = blocks.find(({ code }) => code.startsWith('default-src'))?.code.trim() ?? '';
    const isolation = blocks.find(({ code }) => code.startsWith('Cross-Origin'))?.code.trim() ?? '';

    /** What a page says of its device under a policy. */
    async function device(contentSecurityPolicy: string): Promise<string> {
      const headers = Object.fromEntries(isolation.split('\n').map((line) => line.split(': ')));
      const server = await serveFolder(user.directory, {
        headers: { ...headers, 'content-security-policy': contentSecurityPolicy },
        pages: { '/': '<!doctype html><script type="module" src="/page.js"></script>' },
      });
      writeFileSync(
        join(user.directory, 'page.js'),
        `import { createRuntime, loadBackbone } from './node_modules/graft-ml/dist/graft.js';
         const runtime = await createRuntime({ backend: 'wasm', threads: 2 });
         await loadBackbone({ runtime });
         document.title = [crossOriginIsolated, runtime.device.name, runtime.device.note ?? 'no note'].join();`,
      );
      const open = openUntil(chrome ?? '', `${server.url}/`, "document.title !== ''");
      return open.finally(() => server.close());
    }

    it('lets all of Graft work', async () => {
      expect(await device(policy)).toMatch(/^true,CPU \(WebAssembly [\w ]+, 2 threads\),no note$/);
    });

    it('is computed under without workers, too, where it forbids them', async () => {
      const without = policy.replace('worker-src blob:', "worker-src 'none'");
      expect(without).not.toBe(policy);
      expect(await device(without)).toMatch(/^true,CPU .*one thread\),.*computing blocks the page/);
    });
  });
});

describe('troubleshooting', () => {
  it('has a section for every class of error', () => {
    const sections = [...guidePage('troubleshooting').matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
    expect(sections.sort()).toEqual(Object.keys(errors).sort());
  });
});
