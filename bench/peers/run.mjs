/**
 * Graft beside its peers:  npm run bench:peers -- [--only NAME] [--rounds N] [--json FILE]
 * Installs the peers into this folder on first use, bundles the contestants, runs the comparisons.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');

if (!existsSync(join(here, 'node_modules', '.package-lock.json'))) {
  console.error(
    `The peers are not installed yet: npm ci in ${relative(process.cwd(), here) || '.'} (once, 470 MB)`,
  );
  run('npm', ['ci', '--ignore-scripts'], here);
}
// Always: what is measured should be what is there.
run(process.execPath, ['tools/build.mjs'], root);
await build({
  absWorkingDir: here,
  entryPoints: {
    main: 'main.ts',
    graft: 'peers/graft/main.ts',
    tfjs: 'peers/tfjs/main.mjs',
    jax: 'peers/jax/main.mjs',
    onnxruntime: 'peers/onnxruntime/main.mjs',
    huggingface: 'peers/huggingface/main.mjs',
  },
  // Inside this folder, so that the bundles find the peers' packages in its node_modules.
  outdir: 'build',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'es2022',
  packages: 'external',
  loader: { '.wasm': 'binary', '.wgsl': 'text' },
  logLevel: 'warning',
});
run(process.execPath, [join(here, 'build', 'main.mjs'), ...process.argv.slice(2)], root);

function run(program, args, cwd) {
  // npm is a script on Windows, which only a shell starts.
  const { status } = spawnSync(program, args, { cwd, stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) process.exit(status ?? 1);
}
