/** The installed package through bundlers, as docs/guide/bundlers.md says, and what they leave out of it. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { createServer, build as viteBuild } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBrowser } from '../support/browser';
import { codeBlocks, guidePage } from '../support/markdown';
import { type InstalledPackage, installPackage } from '../support/package';
import { openUntil } from '../support/page';
import { serveFolder } from '../support/static';

let user: InstalledPackage;
beforeAll(() => {
  user = installPackage();
  user.link('esbuild');
  user.link('vite');
  const files = {
    'app.js': APP,
    'index.html': '<!doctype html><script type="module" src="/app.js"></script>',
    'worker.js': APP.replace(/document\.title = (.*);/, 'postMessage($1);'),
    'in-worker.js': IN_WORKER,
    'in-worker.html': '<!doctype html><script type="module" src="/in-worker.js"></script>',
    'vite.config.js': viteConfig ?? '',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(user.directory, name), text);
});
afterAll(() => user.remove());

const APP = `
import { createRuntime, houlsby, loadBackbone } from 'graft-ml';
const runtime = await createRuntime({ backend: 'wasm' });
const backbone = await loadBackbone({ runtime });
const task = await backbone.createTask({ labels: ['a', 'b'], adapter: houlsby({ bottleneck: 8 }) });
const [prediction] = await task.predict(['Where is my parcel?']);
document.title = backbone.description + ' says ' + prediction.label;
`;
/** The same in a worker. */
const IN_WORKER = `
const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
worker.onmessage = ({ data }) => (document.title = data);
worker.onerror = ({ message }) => { throw new Error(message || 'the worker failed'); };
`;
const IS_DONE = "document.title.startsWith('graft-mini says ')";

const [withEsbuild, viteConfig] = codeBlocks(guidePage('bundlers'))
  .filter(({ language, note }) => language === 'js' && note === '')
  .map(({ code }) => code);

const chrome = findBrowser('chrome', 'bundled pages in Chromium');

describe.skipIf(chrome === undefined)('a page on graft-mini', { timeout: 120_000 }, () => {
  it('is built by esbuild', async () => {
    writeFileSync(join(user.directory, 'build.mjs'), withEsbuild ?? '');
    await user.run(process.execPath, ['build.mjs']);
    const server = await serveFolder(join(user.directory, 'out'), {
      pages: { '/': '<!doctype html><script type="module" src="/app.js"></script>' },
    });
    await openUntil(chrome ?? '', `${server.url}/`, IS_DONE).finally(() => server.close());
    // The backbone's module is asked for where it is needed, and its files by that module.
    expect(server.requests.map(({ path }) => path)).toContain('/models/graft-mini/model.safetensors');
  });

  it('says which file it misses where esbuild is left alone', async () => {
    const page = await build({
      stdin: {
        contents: APP.replace(
          'await loadBackbone({ runtime })',
          'await loadBackbone({ runtime }).catch(show)',
        ).replace(
          'const task',
          'function show(error) { document.title = error.name + ": " + error.message; throw error; }\nconst task',
        ),
        resolveDir: user.directory,
      },
      bundle: true,
      format: 'esm',
      write: false,
    });
    const server = await serveFolder(user.directory, {
      pages: { '/': `<!doctype html><script type="module">${page.outputFiles[0]?.text}</script>` },
    });
    const title = openUntil(chrome ?? '', `${server.url}/`, "document.title.includes('models')");
    await expect(title.finally(() => server.close())).rejects.toThrow(
      /FileAccessError.*models\/graft-mini\/config\.json/s,
    );
  });

  it.each(['index.html', 'in-worker.html'])('is built by Vite: %s', async (page) => {
    // Where the development server's scan for dependencies does not look.
    const outDir = join(user.directory, 'node_modules', '.built', page);
    await viteBuild({
      root: user.directory,
      logLevel: 'warn',
      build: { outDir, rolldownOptions: { input: join(user.directory, page) } },
    });
    const assets = readdirSync(join(outDir, 'assets'));
    expect(assets.filter((name) => name.endsWith('.safetensors'))).toHaveLength(1);
    const server = await serveFolder(outDir);
    await openUntil(chrome ?? '', `${server.url}/${page}`, IS_DONE).finally(() => server.close());
  });

  it.each(['index.html', 'in-worker.html'])('is served by Vite while it is developed: %s', async (page) => {
    const server = await createServer({
      root: user.directory,
      logLevel: 'warn',
      server: { host: '127.0.0.1' },
    });
    await server.listen();
    const url = `${server.resolvedUrls?.local[0]}${page}`;
    await openUntil(chrome ?? '', url, IS_DONE).finally(() => server.close());
  });
});

describe('what a program does not import', () => {
  /** Bytes of a program, minified and gzipped. */
  async function sizes(source: string): Promise<{ readonly code: string; readonly gzipped: number }[]> {
    const withEsbuild = await build({
      stdin: { contents: source, resolveDir: user.directory },
      bundle: true,
      format: 'esm',
      target: 'es2022',
      minify: true,
      write: false,
      external: ['./mini.js'],
      logLevel: 'error',
    });
    const entry = join(user.directory, 'entry.js');
    writeFileSync(entry, source);
    const withVite = await viteBuild({
      root: user.directory,
      configFile: false,
      logLevel: 'error',
      build: {
        write: false,
        target: 'es2022',
        minify: true,
        rolldownOptions: { input: entry, preserveEntrySignatures: 'strict', external: /mini\.js$/ },
      },
    });
    if (!('output' in withVite)) throw new Error('Vite built several outputs');
    const [chunk] = withVite.output;
    return [withEsbuild.outputFiles[0]?.text ?? '', chunk.code].map((code) => ({
      code,
      gzipped: gzipSync(code, { level: 9 }).length,
    }));
  }

  it('is nothing where it uses nothing', async () => {
    for (const { code } of await sizes("import 'graft-ml';")) expect(code.trim()).toBe('');
  });

  it('is left out: the tokenizer brings no kernels for WebGPU, no training, no models', async () => {
    const whole = await sizes("export * from 'graft-ml';");
    const tokenizer = await sizes("export { loadTokenizer } from 'graft-ml';");
    for (const [index, { code, gzipped }] of tokenizer.entries()) {
      expect(code).not.toContain('fn linear_forward');
      expect(code).not.toContain('requestAdapter');
      expect(gzipped).toBeLessThan(0.5 * (whole[index]?.gzipped ?? 0));
    }
  });

  it('is left out: errors alone are small', async () => {
    for (const { gzipped } of await sizes("export { DataError } from 'graft-ml';"))
      expect(gzipped).toBeLessThan(4000);
  });
});
