/**
 * Builds dist/: graft.js (the library, one ES module with WASM and WGSL inlined), cli.js (the command), types.
 *   node tools/build.mjs
 */
import { execFileSync } from 'node:child_process';
import { chmod, readFile, rm } from 'node:fs/promises';
import { build } from 'esbuild';

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

/** The command imports the library as its users do: the classes of errors are then the same ones. */
const libraryBeside = {
  name: 'library-beside',
  setup(builder) {
    builder.onResolve({ filter: /^(\.\.\/)+index$/ }, () => ({ path: './graft.js', external: true }));
  },
};

const common = {
  bundle: true,
  format: 'esm',
  // Not esnext: that emits Uint8Array.fromBase64, which Node 20 lacks.
  target: 'es2022',
  loader: { '.wasm': 'binary', '.wgsl': 'text' },
  logLevel: 'warning',
};

await rm('dist', { recursive: true, force: true });
for (const target of ['release', 'relaxed']) {
  execFileSync('npx', ['asc', '--target', target], { stdio: 'inherit' });
}
// The library carries its workers' script as text, since one file cannot name a second one.
await build({
  ...common,
  entryPoints: ['src/backends/wasm/worker.ts'],
  outfile: 'build/wasm-worker.txt',
  format: 'iife',
  platform: 'neutral',
  minify: true,
});
await build({
  ...common,
  entryPoints: ['src/index.ts'],
  outfile: 'dist/graft.js',
  platform: 'neutral',
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: true,
  sourcesContent: false,
});
await build({
  ...common,
  entryPoints: ['src/cli/main.ts'],
  outfile: 'dist/cli.js',
  platform: 'node',
  target: 'node20',
  external: ['commander', 'csv-parse', 'cli-progress'],
  plugins: [rawText, libraryBeside],
  banner: { js: '#!/usr/bin/env node' },
});
await chmod('dist/cli.js', 0o755);
execFileSync('npx', ['tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
