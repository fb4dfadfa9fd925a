/**
 * Builds the benchmark's page into build/bench-page/ and serves it: npm run bench:page [-- --port PORT]
 * With the headers of cross-origin isolation: threads and a fine clock need them.
 */
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { Command, InvalidArgumentError } from 'commander';
import { buildProbes, bundle, requireBuild } from './bundle.mjs';

const DIRECTORY = 'build/bench-page';
const FILES = {
  'index.html': 'text/html; charset=utf-8',
  'style.css': 'text/css; charset=utf-8',
  'main.js': 'text/javascript; charset=utf-8',
  'worker.js': 'text/javascript; charset=utf-8',
};

function portNumber(text) {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new InvalidArgumentError('It must be a whole number up to 65535; 0 takes any free port.');
}

async function buildPage() {
  await buildProbes();
  await mkdir(DIRECTORY, { recursive: true });
  for (const name of ['index.html', 'style.css'])
    await copyFile(`bench/page/${name}`, `${DIRECTORY}/${name}`);
  await bundle({
    entryPoints: ['bench/page/main.ts', 'bench/page/worker.ts'],
    outdir: DIRECTORY,
    platform: 'browser',
    // Node's modules, which a browser never loads.
    external: ['node:*'],
  });
}

async function serve(request, response) {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const name = pathname === '/' ? 'index.html' : pathname.slice(1);
  if (!Object.hasOwn(FILES, name)) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    'content-type': FILES[name],
    'cache-control': 'no-store',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  });
  response.end(await readFile(`${DIRECTORY}/${name}`));
}

const { port } = new Command('bench:page')
  .description("Builds and serves the benchmark's page.")
  .option('--port <number>', 'where to listen; 0: any free port', portNumber, 8017)
  .parse()
  .opts();
requireBuild();
await buildPage();
const server = createServer((request, response) => {
  serve(request, response).catch((error) => response.writeHead(500).end(String(error)));
});
server.on('error', (error) => {
  console.error(
    error.code === 'EADDRINUSE' ? `Port ${port} is taken: choose another with --port.` : error.message,
  );
  process.exit(1);
});
server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
