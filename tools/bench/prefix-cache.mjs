/**
 * Times training with and without the frozen prefix's cache: npm run bench:prefix-cache -- BACKBONE TSV [ROWS] [LAYERS,…]
 */
import { spawnSync } from 'node:child_process';
import { bundle, requireBuild } from './bundle.mjs';

const outfile = 'build/bench/prefix-cache.js';

requireBuild();
await bundle({ entryPoints: ['bench/prefix-cache.ts'], outfile, platform: 'node', external: ['webgpu'] });
process.exit(
  spawnSync(process.execPath, [outfile, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1,
);
