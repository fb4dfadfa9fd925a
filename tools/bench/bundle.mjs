/** What the benchmarks in Node and their page share: the probes' modules, and how scripts are bundled. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** The benchmarks measure what `npm run build` made. */
export function requireBuild() {
  if (existsSync('build/graft.wasm') && existsSync('dist/graft.js')) return;
  console.error('Run `npm run build` first.');
  process.exit(1);
}

const PROBE_SOURCES = ['bench/probe/assembly', 'assembly/kernels/lib'];

/** build/probe.wasm and build/probe.relaxed.wasm, with plain and with relaxed SIMD, and the script of their threads. */
export async function buildProbes() {
  const newest = Math.max(...PROBE_SOURCES.flatMap(filesOf).map((file) => statSync(file).mtimeMs));
  for (const [target, file] of [
    ['simd', 'build/probe.wasm'],
    ['relaxed', 'build/probe.relaxed.wasm'],
  ]) {
    // The compiler takes seconds.
    if (existsSync(file) && statSync(file).mtimeMs > newest) continue;
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

function filesOf(directory) {
  return readdirSync(directory).map((name) => join(directory, name));
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
