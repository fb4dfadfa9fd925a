/**
 * Builds the web application into build/site/ and serves it: npm run web [-- --port PORT] [-- --build-only]
 */
import { Command } from 'commander';
import { portNumber, serveForever } from '../static-server.mjs';
import { buildSite } from './build.mjs';

const { port, directory, engine, buildOnly } = new Command('web')
  .description('Builds and serves the web application.')
  .option('--port <number>', 'where to listen; 0: any free port', portNumber, 8018)
  .option('--directory <path>', 'where to build it', 'build/site')
  .option('--engine <path>', 'another worker in the place of the engine, as the tests have one')
  .option('--build-only', 'do not serve')
  .parse()
  .opts();
await buildSite({ directory, engine });
if (!buildOnly) await serveForever({ directory, port });
