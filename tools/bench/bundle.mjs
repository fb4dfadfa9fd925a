/** What the benchmarks in Node and their page share: the probes' modules, and how scripts are bundled. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { build } from 'esbuild';

/** The benchmarks measure what `npm run build` made. */
export function requireBuild() {
  if (existsSync('build/graft.wasm') && existsSync('dist/graft.js')) return;
  console.error('Run `npm run build` first.');
  process.exit(1);
}

/** build/probe.wasm and build/probe.relaxed.wasm, with plain and with relaxed SIMD, and the script of their threads. */
export async function buildProbes() {
  for (const target of ['simd', 'relaxed']) {
    execFileSync('npx', ['asc', '--config', 'bench/probe/assembly/asconfig.json', '--target', target], {
      stdio: 'inherit',
    });
  }
  await bundle({
    entryPoints: ['bench/probe/worker.ts'],
    outfile: 'build/probe-worker.txt',
    format: 'iife',
    platform: 'neutral',
  });
}

export function bundle(options) {
  return build({
    bundle: true,
    format: 'esm',
    target: 'es2022',
    loader: { '.wasm': 'binary', '.wgsl': 'text' },
    logLevel: 'warning',
    ...options,
  });
}
