/** The packed package, as npm would publish it: what it holds, and that its own backbone works where it is installed. */
import { execFile, execFileSync } from 'node:child_process';
import {
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { launch } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graftMini } from '../../src/mini';
import { relativeError } from '../support/compare';
import { serve } from '../support/http';

const root = join(import.meta.dirname, '..', '..');
const directory = mkdtempSync(join(tmpdir(), 'graft-package-'));
const installed = join(directory, 'node_modules', 'graft-ml');
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface PackedFile {
  readonly path: string;
  readonly size: number;
}
let packed: readonly PackedFile[];

beforeAll(() => {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', directory];
  const [tarball] = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8' }));
  packed = tarball.files;
  mkdirSync(installed, { recursive: true });
  const file = join(directory, tarball.filename);
  execFileSync('tar', ['-xzf', file, '-C', installed, '--strip-components=1']);
  writeFileSync(
    join(directory, 'package.json'),
    JSON.stringify({ type: 'module', dependencies: { 'graft-ml': '*' } }),
  );
});

/** What every platform is to find: the text's probabilities from a new task, which depend on the backbone and the seed alone. */
const PREDICT = `async (graft, source) => {
  const runtime = await graft.createRuntime({ backend: 'wasm' });
  const backbone = await (source ? graft.loadBackbone(source, { runtime }) : graft.loadBackbone({ runtime }));
  const labels = ['a', 'b', 'c'];
  const task = await backbone.createTask({ labels, adapter: graft.houlsby({ bottleneck: 8 }), seed: 3 });
  const [prediction] = await task.predict(['Where is my parcel?']);
  const { description, parameterCount } = backbone;
  runtime.dispose();
  return { description, parameterCount, scores: labels.map((label) => prediction.scores[label]) };
}`;

interface Found {
  readonly description: string;
  readonly parameterCount: number;
  readonly scores: number[];
}

async function run(program: string, ...args: string[]): Promise<Found> {
  const { stdout } = await promisify(execFile)(program, args, { cwd: directory, timeout: 120_000 });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

/** A script beside the installed package. */
function writeScript(name: string, source: string): string {
  const script = join(directory, name);
  writeFileSync(
    script,
    `import * as graft from 'graft-ml';\n${source}\nconsole.log(JSON.stringify(await (${PREDICT})(graft, source)));\nprocess.exit(0);\n`,
  );
  return script;
}

describe('the packed package', () => {
  it('holds what its exports and its command name, and no sources', () => {
    const paths = packed.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        'README.md',
        'LICENSE',
        ...['graft.js', 'mini.js', 'report.js', 'cli.js'].map((file) => `dist/${file}`),
        ...['index', 'mini', 'cli/report'].map((name) => `dist/types/${name}.d.ts`),
      ]),
    );
    expect(paths.filter((path) => /^(src|test|examples|models)\//.test(path))).toEqual([]);
  });

  it.each([
    [
      'the library alone',
      ['graft.js'],
      /^graft-mini: its module cannot be loaded\. .*mini\.js.*give a directory/,
    ],
    [
      'library and module, without models',
      ['graft.js', 'mini.js'],
      /^graft-mini: there is no file at .*config\.json\. .*give a directory/,
    ],
  ])('says what to do where there is only %s', async (name, files, message) => {
    const folder = join(directory, name);
    mkdirSync(folder);
    for (const file of files) copyFileSync(join(root, 'dist', file), join(folder, file));
    const script = join(folder, 'script.js');
    writeFileSync(
      script,
      `import { createRuntime, FileAccessError, loadBackbone } from './graft.js';
       const runtime = await createRuntime({ backend: 'wasm' });
       const error = await loadBackbone({ runtime }).catch((caught) => caught);
       runtime.dispose();
       console.log(JSON.stringify({ typed: error instanceof FileAccessError, message: error.message }));`,
    );
    const { stdout } = await promisify(execFile)(process.execPath, [script]);
    expect(JSON.parse(stdout)).toEqual({ typed: true, message: expect.stringMatching(message) });
  });
});

describe('the embedded backbone', () => {
  let inNode: Found;

  beforeAll(async () => {
    inNode = await run(process.execPath, writeScript('default.mjs', 'const source = undefined;'));
  });

  it('is in the package, in at most 8.5 MB, beside its module', () => {
    const files = packed.filter(({ path }) => path.startsWith('dist/models/graft-mini/'));
    const names = files.map(({ path }) => path.split('/').at(-1));
    expect(names).toEqual(expect.arrayContaining(Object.keys(graftMini)));
    expect(files.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(8.5e6);
  });

  it('is what loadBackbone loads in Node, by default, by name and as files', async () => {
    expect(inNode.description).toBe('graft-mini');
    expect(inNode.scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 6);
    const byName = await run(process.execPath, writeScript('name.mjs', "const source = 'graft-mini';"));
    expect(byName).toEqual(inNode);
    const script = writeScript('files.mjs', "import { graftMini as source } from 'graft-ml/mini';");
    const byFiles = await run(process.execPath, script);
    expect(byFiles.scores).toEqual(inNode.scores);
  });

  it('loads in Deno, to the same numbers', { timeout: 120_000 }, async () => {
    const deno = join(root, 'node_modules', '.bin', 'deno');
    const args = ['run', '--allow-all', '--no-lock', '--node-modules-dir=manual', 'default.mjs'];
    const inDeno = await run(deno, ...args);
    expect(inDeno).toMatchObject({ description: 'graft-mini', parameterCount: inNode.parameterCount });
    // Deno's V8 has relaxed SIMD, Node 20's has not.
    expect(relativeError(inDeno.scores, inNode.scores)).toBeLessThan(1e-4);
  });

  const chromium = [process.env.CHROME_PATH, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
    (path) => path !== undefined && existsSync(path),
  );
  it.skipIf(chromium === undefined)(
    'loads in Chromium, to the same numbers',
    { timeout: 120_000 },
    async () => {
      const server = await serve((request, response) => {
        const path = normalize(decodeURIComponent(request.url ?? '/'));
        const file = join(installed, path);
        if (path === '/') {
          response.setHeader('content-type', 'text/html').end('<!doctype html><title>Graft</title>');
        } else if (existsSync(file)) {
          const type = extname(file) === '.js' ? 'text/javascript' : 'application/octet-stream';
          createReadStream(file).pipe(response.setHeader('content-type', type));
        } else {
          response.writeHead(404).end();
        }
      });
      const browser = await launch({
        executablePath: chromium ?? '',
        args: ['--no-sandbox', '--no-first-run'],
      });
      try {
        const page = await browser.newPage();
        await page.goto(`${server.url}/`);
        const source = `(async () => (${PREDICT})(await import('/dist/graft.js')))()`;
        const inBrowser = await page.evaluate<[], () => Promise<Found>>(source as never);
        expect(inBrowser).toMatchObject({ description: 'graft-mini', parameterCount: inNode.parameterCount });
        expect(relativeError(inBrowser.scores, inNode.scores)).toBeLessThan(1e-4);
      } finally {
        await browser.close();
        await server.close();
      }
    },
  );
});
