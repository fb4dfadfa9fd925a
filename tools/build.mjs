/**
 * Builds dist/: graft.js (the library, one ES module with WASM and WGSL inlined), mini.js and models/ (the backbone that comes
 * along), report.js (the page about a training), cli.js (the command), types.
 *   node tools/build.mjs [--if-stale]     --if-stale: only where something is newer than what was built
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';
import { minify } from 'terser';
import { packWasm } from './pack-wasm.mjs';
import { copyDeclarations } from './types.mjs';

/** `import text from 'PATH?raw'`, as vitest knows it: the file as a string. */
const rawText = {
  name: 'raw-text',
  setup(builder) {
    builder.onResolve({ filter: /\?raw$/ }, async ({ path, resolveDir, importer }) => {
      const kind = 'import-statement';
      const found = await builder.resolve(path.slice(0, -'?raw'.length), { kind, resolveDir, importer });
      return found.errors.length > 0 ? { errors: found.errors } : { path: found.path, namespace: 'raw-text' };
    });
    builder.onLoad({ filter: /.*/, namespace: 'raw-text' }, async ({ path }) => ({
      contents: await readFile(path, 'utf8'),
      loader: 'text',
    }));
  },
};

/** What is imported by a path that `filter` finds stays a file of its own, beside. */
function beside(filter, file) {
  return {
    name: `beside-${file}`,
    setup(builder) {
      builder.onResolve({ filter }, () => ({ path: `./${file}`, external: true }));
    },
  };
}

/** The command imports the library as its users do: the classes of errors are then the same ones. */
const libraryBeside = beside(/^(\.\.\/)+index$/, 'graft.js');
/** The library asks for the embedded backbone's module only when it is needed. */
const miniBeside = beside(/^\.\.\/mini$/, 'mini.js');
const reportBeside = beside(/^\.\/report$/, 'report.js');

/** The embedded backbone's files move from models/ to dist/models/, so their places in its module do too. */
const modelsBeside = {
  name: 'models-beside',
  setup(builder) {
    builder.onLoad({ filter: /[/\\]src[/\\]mini\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replaceAll("'../models/", "'./models/"),
      loader: 'ts',
    }));
  },
};

/** Shaders without comments and indentation: nobody reads them in the bundle. WGSL has no strings that could hold a `//`. */
const slimShaders = {
  name: 'slim-shaders',
  setup(builder) {
    builder.onLoad({ filter: /\.wgsl$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8'))
        .split('\n')
        .map((line) => line.replace(/\/\/.*/, '').trim())
        .filter((line) => line !== '')
        .join('\n'),
      loader: 'text',
    }));
  },
};

/**
 * Functions without side effects that are called where modules are loaded. Their calls are marked, so that a user's bundler can leave
 * out what is not imported.
 */
const PURE_FUNCTIONS = [
  ...['defineKernel', 'kernelsOf', 'kernelOf', 'batchTensor', 'makeShaderSources'],
  ...['productVariants', 'strideVariants', 'narrowVariants', 'narrowStrideVariants', 'tileGrid'],
];
const PURE_CALL = new RegExp(
  // `Object.freeze` where its result is what is wanted.
  `(?<!function )\\b(${PURE_FUNCTIONS.join('|')})\\(|(?<== )Object\\.(freeze|keys)\\(`,
  'g',
);
const pureCalls = {
  name: 'pure-calls',
  setup(builder) {
    builder.onLoad({ filter: /[/\\]src[/\\].*\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace(PURE_CALL, '/* @__PURE__ */ $&'),
      loader: 'ts',
    }));
  },
};

const common = {
  bundle: true,
  format: 'esm',
  // Not esnext: that emits Uint8Array.fromBase64, which Node 20 lacks.
  target: 'es2022',
  logLevel: 'warning',
};

/**
 * Writes the library from esbuild's output: small, but with the marks of calls without side effects, which esbuild's own minifier
 * drops.
 */
async function writeLibrary([map, { text, path }]) {
  const { code, map: minifiedMap } = await minify(text, {
    module: true,
    compress: { ecma: 2022, passes: 2 },
    // Again: these names take 4 KB less, gzipped.
    mangle: true,
    format: {
      ecma: 2022,
      preserve_annotations: true,
      // Inside an import of Dawn, which bundlers are to leave alone.
      comments: /@vite-ignore|webpackIgnore/,
      // Node prints the line that an uncaught error comes from.
      max_line_len: 2000,
    },
    sourceMap: { content: map.text, includeSources: true, filename: 'graft.js', url: 'graft.js.map' },
  });
  await mkdir('dist', { recursive: true });
  await writeFile(path, code);
  await writeFile(map.path, minifiedMap);
}

/** Whether everything is built, after the last change to anything that it is built from. */
function isFresh() {
  const outputs = ['graft.js', 'mini.js', 'report.js', 'cli.js', 'types/index.d.ts'].map(
    (file) => `dist/${file}`,
  );
  if (!outputs.every(existsSync)) return false;
  const trees = ['src', 'assembly', 'shaders', 'models'];
  // A directory's own time tells of files that were removed.
  const inputs = [
    ...trees.flatMap((tree) => [
      tree,
      ...readdirSync(tree, { recursive: true }).map((path) => `${tree}/${path}`),
    ]),
    ...[
      'tools/build.mjs',
      'tools/pack-wasm.mjs',
      'tools/types.mjs',
      'package.json',
      'package-lock.json',
      'asconfig.json',
      'tsconfig.json',
      'tsconfig.build.json',
    ],
  ];
  const time = (path) => statSync(path).mtimeMs;
  return Math.max(...inputs.map(time)) < Math.min(...outputs.map(time));
}

/** graft-mini's files to dist/models. */
async function copyModel() {
  const from = 'models/graft-mini';
  await cp(from, 'dist/models/graft-mini', { recursive: true });
}

if (process.argv.includes('--if-stale') && isFresh()) process.exit(0);
await rm('dist', { recursive: true, force: true });
for (const target of ['release', 'relaxed']) {
  execFileSync('npx', ['asc', '--target', target], { stdio: 'inherit' });
}
const builds = ['build/graft.wasm', 'build/graft.relaxed.wasm'].map((file) => readFile(file));
await writeFile('build/wasm-builds.txt', packWasm(await Promise.all(builds)));
// The library carries its workers' script as text, since one file cannot name a second one.
await build({
  ...common,
  entryPoints: ['src/backends/wasm/worker.ts'],
  outfile: 'build/wasm-worker.txt',
  format: 'iife',
  platform: 'neutral',
  minify: true,
});
const library = await build({
  ...common,
  entryPoints: ['src/index.ts'],
  outfile: 'dist/graft.js',
  write: false,
  platform: 'neutral',
  minifySyntax: true,
  minifyIdentifiers: true,
  sourcemap: 'external',
  plugins: [miniBeside, slimShaders, pureCalls],
});
await writeLibrary(library.outputFiles);
await build({
  ...common,
  entryPoints: ['src/mini.ts'],
  outfile: 'dist/mini.js',
  platform: 'neutral',
  plugins: [modelsBeside],
});
await copyModel();
await build({
  ...common,
  entryPoints: ['src/cli/report.ts'],
  outfile: 'dist/report.js',
  platform: 'neutral',
  plugins: [rawText],
});
await build({
  ...common,
  entryPoints: ['src/cli/main.ts'],
  outfile: 'dist/cli.js',
  platform: 'node',
  target: 'node20',
  external: ['commander', 'csv-parse', 'cli-progress', 'fzstd'],
  plugins: [libraryBeside, reportBeside],
  banner: { js: '#!/usr/bin/env node' },
});
await chmod('dist/cli.js', 0o755);
execFileSync('npx', ['tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
await copyDeclarations('build/types', 'dist/types', ['index', 'mini', 'cli/report']);
