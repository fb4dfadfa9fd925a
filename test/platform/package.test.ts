/** The packed package, as npm would publish it: what it holds, and that its own backbone works where it is installed. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graftMini } from '../../src/mini';
import { findBrowser } from '../support/browser';
import { relativeError } from '../support/compare';
import { type InstalledPackage, installPackage, repository } from '../support/package';
import { openUntil } from '../support/page';
import { serveFolder } from '../support/static';

let user: InstalledPackage;
beforeAll(() => {
  user = installPackage();
});
afterAll(() => user.remove());

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
  const stdout = await user.run(program, args);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

/** A script beside the installed package. */
function writeScript(name: string, source: string): string {
  const script = join(user.directory, name);
  writeFileSync(
    script,
    `import * as graft from 'graft-ml';\n${source}\nconsole.log(JSON.stringify(await (${PREDICT})(graft, source)));\nprocess.exit(0);\n`,
  );
  return script;
}

describe('the packed package', () => {
  it('holds what is built, and nothing else', () => {
    const paths = user.files.map(({ path }) => path).filter((path) => !path.startsWith('dist/types/'));
    expect(paths.sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'dist/cli.js',
      'dist/graft.js',
      'dist/graft.js.map',
      'dist/mini.js',
      'dist/models/graft-mini/README.md',
      ...Object.keys(graftMini)
        .map((name) => `dist/models/graft-mini/${name}`)
        .sort(),
      'dist/report.js',
      'package.json',
    ]);
    const declarations = user.files.filter(({ path }) => path.startsWith('dist/types/'));
    for (const { path } of declarations) expect(path).toMatch(/\.d\.ts$/);
    // Those that the entry points reach, not those of the whole source.
    expect(declarations.length).toBeLessThan(80);
  });

  it('is 9 MB, nearly all of it graft-mini', () => {
    const size = (isMeant: (path: string) => boolean) =>
      user.files.filter(({ path }) => isMeant(path)).reduce((sum, { size }) => sum + size, 0);
    expect(size((path) => path.startsWith('dist/models/'))).toBeLessThan(8.5e6);
    // It holds the library's sources.
    expect(size((path) => path.endsWith('.map'))).toBeLessThan(1.6e6);
    expect(size((path) => !path.startsWith('dist/models/') && !path.endsWith('.map'))).toBeLessThan(0.9e6);
  });

  it('is sound in the eyes of publint', async () => {
    const tarball = Uint8Array.from(readFileSync(user.tarball)).buffer;
    const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it('has types that every way of resolving modules finds', async () => {
    const analysis = await checkPackage(
      createPackageFromTarballData(new Uint8Array(readFileSync(user.tarball))),
    );
    if (analysis.types === false) throw new Error('there are no types');
    expect(Object.keys(analysis.entrypoints).sort()).toEqual(['.', './mini', './package.json', './report']);
    // An ES module alone: `require` and the resolution of before exports are none of its ways (attw's profile "esm-only").
    const problems = analysis.problems.filter(
      (problem) =>
        !('resolutionKind' in problem) ||
        (problem.resolutionKind !== 'node10' && problem.resolutionKind !== 'node16-cjs'),
    );
    expect(problems).toEqual([]);
  });

  it('has a command', async () => {
    const command = join(user.directory, 'node_modules', '.bin', 'graft');
    expect(await user.run(command, ['--help'])).toContain('train [options]');
  });

  it('leads from a stack trace to its sources', async () => {
    writeFileSync(
      join(user.directory, 'fails.mjs'),
      "import { houlsby } from 'graft-ml';\ntry { houlsby({ bottleneck: 0 }) } catch (error) { console.log(error.stack) }",
    );
    const stack = await user.run(process.execPath, ['--enable-source-maps', 'fails.mjs']);
    expect(stack).toMatch(
      /^OptionError: bottleneck: 0 is not a whole number[^\n]*\n\s+at .*src\/adapters\/[\w-]+\.ts:\d+:\d+\)/,
    );
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
    const folder = join(user.directory, name);
    mkdirSync(folder);
    for (const file of files) copyFileSync(join(repository, 'dist', file), join(folder, file));
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
    const deno = join(repository, 'node_modules', '.bin', 'deno');
    const args = ['run', '--allow-all', '--no-lock', '--node-modules-dir=manual', 'default.mjs'];
    const inDeno = await run(deno, ...args);
    expect(inDeno).toMatchObject({ description: 'graft-mini', parameterCount: inNode.parameterCount });
    // Deno's V8 has relaxed SIMD, Node 20's has not.
    expect(relativeError(inDeno.scores, inNode.scores)).toBeLessThan(1e-4);
  });

  const chrome = findBrowser('chrome', 'the embedded backbone in Chromium');
  it.skipIf(chrome === undefined)(
    'loads in Chromium, to the same numbers',
    { timeout: 120_000 },
    async () => {
      const page = `<!doctype html><script type="module">
        import * as graft from '/dist/graft.js';
        document.title = JSON.stringify(await (${PREDICT})(graft));
      </script>`;
      const server = await serveFolder(user.installed, { pages: { '/': page } });
      const title = await openUntil(chrome ?? '', `${server.url}/`, "document.title !== ''").finally(() =>
        server.close(),
      );
      const inBrowser: Found = JSON.parse(title);
      expect(inBrowser).toMatchObject({ description: 'graft-mini', parameterCount: inNode.parameterCount });
      expect(relativeError(inBrowser.scores, inNode.scores)).toBeLessThan(1e-4);
    },
  );
});
