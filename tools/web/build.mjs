/**
 * Builds the web application into a directory that any file server can serve as it is: index.html, hub.html, page.js, worker.js,
 * style.css, sw.js, the example sets in data/, graft-mini in models/, the benchmark's page in bench/.
 */
import { createHash } from 'node:crypto';
import { copyFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { build } from 'esbuild';
import { buildBenchPage } from '../bench/build-page.mjs';

const SOURCE = 'examples/web';
const SETS = ['messages', 'reviews', 'requests'];
/** Built by others into the same site, or too large to be kept by the service worker: see examples/web/README.md. */
const NOT_KEPT = ['docs', 'models', 'sw.js'];

/** What hub.html may reach beside this site: the hub's API, and the hosts that it sends downloads to. */
const HUB_SOURCES = 'https://huggingface.co https://*.huggingface.co https://*.hf.co';

const common = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  logLevel: 'warning',
  // The one build of the library, as its users have it.
  alias: { 'graft-ml': './dist/graft.js' },
};

/** `engine`: the worker's entry; tests may put another in its place. */
export async function buildSite({ directory = 'build/site', engine = `${SOURCE}/src/worker/main.ts` } = {}) {
  await removeOld(directory);
  await Promise.all([
    build({ ...common, entryPoints: { page: `${SOURCE}/src/page/main.ts` }, outdir: directory }),
    build({
      ...common,
      entryPoints: { worker: engine },
      outdir: directory,
      // The page starts it from a blob, and puts its address in front (examples/web/src/page/client.ts).
      define: { 'import.meta.url': 'WORKER_URL' },
    }),
    build({ ...common, entryPoints: { style: `${SOURCE}/src/style/style.css` }, outdir: directory }),
    buildBenchPage(join(directory, 'bench'), { minify: true }),
    cp('dist/models', join(directory, 'models'), { recursive: true }),
    copyFile(`${SOURCE}/icon.svg`, join(directory, 'icon.svg')),
    copySets(join(directory, 'data')),
    writePages(directory),
  ]);
  await buildServiceWorker(directory);
}

/** The documentation is built by others into docs/, and stays. */
async function removeOld(directory) {
  await mkdir(directory, { recursive: true });
  const old = (await readdir(directory)).filter((name) => name !== 'docs');
  await Promise.all(old.map((name) => rm(join(directory, name), { recursive: true })));
}

async function copySets(directory) {
  await mkdir(directory, { recursive: true });
  for (const set of SETS) await copyFile(`examples/data/${set}.train.tsv`, join(directory, `${set}.tsv`));
}

async function writePages(directory) {
  const page = await readFile(`${SOURCE}/index.html`, 'utf8');
  const hubPage = page.replace("connect-src 'self'", `connect-src 'self' ${HUB_SOURCES}`);
  if (hubPage === page) throw new Error('index.html has no connect-src that could be widened for hub.html');
  await writeFile(join(directory, 'index.html'), page);
  await writeFile(join(directory, 'hub.html'), hubPage);
}

/** With the list of what it keeps, so that it changes when any of that does. */
async function buildServiceWorker(directory) {
  const files = (await readdir(directory, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
    .filter((path) => !NOT_KEPT.includes(path.split('/')[0]))
    .sort();
  const hashes = {};
  for (const path of files) {
    const hash = createHash('sha256').update(await readFile(join(directory, path)));
    hashes[path] = `sha256-${hash.digest('base64')}`;
  }
  await build({
    ...common,
    entryPoints: { sw: `${SOURCE}/src/service-worker/sw.ts` },
    outdir: directory,
    format: 'iife',
    define: { FILES: JSON.stringify(hashes) },
  });
}
