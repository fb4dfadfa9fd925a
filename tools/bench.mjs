/**
 * Bundles and runs one benchmark: node tools/bench.mjs kernels|step|tokenizer|optimizer [its arguments]
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { build } from 'esbuild';

const entries = {
  kernels: 'bench/run-kernels.ts',
  step: 'bench/run-step.ts',
  tokenizer: 'bench/tokenizer-node.ts',
  optimizer: 'bench/optimizer.ts',
};
const [name = 'kernels', ...args] = process.argv.slice(2);
const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
if (entry === undefined) {
  console.error(`There is no benchmark ${name}; there are ${Object.keys(entries).join(', ')}.`);
  process.exit(2);
}
if (!existsSync('build/graft.wasm')) {
  console.error('Run `npm run build` first.');
  process.exit(1);
}
const outfile = `build/bench/${name}.js`;
await build({
  entryPoints: [entry],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'es2022',
  loader: { '.wasm': 'binary', '.wgsl': 'text' },
  external: ['webgpu'],
  logLevel: 'warning',
});
process.exit(spawnSync(process.execPath, [outfile, ...args], { stdio: 'inherit' }).status ?? 1);
