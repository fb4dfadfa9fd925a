/**
 * Builds the benchmark's page into build/bench-page/ and serves it: npm run bench:page [-- --port PORT]
 * With the headers of cross-origin isolation: threads and a fine clock need them.
 */
import { Command } from 'commander';
import { portNumber, serveForever } from '../static-server.mjs';
import { buildBenchPage } from './build-page.mjs';
import { requireBuild } from './bundle.mjs';

const DIRECTORY = 'build/bench-page';

const { port } = new Command('bench:page')
  .description("Builds and serves the benchmark's page.")
  .option('--port <number>', 'where to listen; 0: any free port', portNumber, 8017)
  .parse()
  .opts();
requireBuild();
await buildBenchPage(DIRECTORY);
await serveForever({ directory: DIRECTORY, port });
