/** Bundles and runs the paper's comparison: npm run reproduce -- [options]; `--help` lists them. */
import { spawnSync } from 'node:child_process';
import { bundle, requireBuild } from './bundle.mjs';

const FILE = 'build/reproduce.mjs';

requireBuild();
await bundle({
  entryPoints: ['bench/reproduce/main.ts'],
  outfile: FILE,
  platform: 'node',
  external: ['webgpu', 'commander', 'csv-parse', 'cli-progress', 'echarts', '../mini'],
  alias: {},
});
const { status } = spawnSync(process.execPath, [FILE, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(status ?? 1);
