/**
 * Times several tasks together and apart, and without the lowest adapters: npm run bench:composition -- [BACKBONE] [webgpu|wasm]
 */
import { spawnSync } from 'node:child_process';
import { bundle, requireBuild } from './bundle.mjs';

const outfile = 'build/bench/composition.js';

requireBuild();
await bundle({ entryPoints: ['bench/composition.ts'], outfile, platform: 'node', external: ['webgpu'] });
process.exit(
  spawnSync(process.execPath, [outfile, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1,
);
