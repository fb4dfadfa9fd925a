/** The benchmark's page, built into a directory: index.html, style.css, main.js, worker.js. */
import { copyFile, mkdir } from 'node:fs/promises';
import { buildProbes, bundle } from './bundle.mjs';

export async function buildBenchPage(directory, options = {}) {
  await buildProbes();
  await mkdir(directory, { recursive: true });
  for (const name of ['index.html', 'style.css'])
    await copyFile(`bench/page/${name}`, `${directory}/${name}`);
  await bundle({
    entryPoints: ['bench/page/main.ts', 'bench/page/worker.ts'],
    outdir: directory,
    platform: 'browser',
    // Node's modules, which a browser never loads.
    external: ['node:*'],
    ...options,
  });
}
