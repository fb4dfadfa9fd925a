/** Bundles and runs the paper's comparison: npm run reproduce -- [options]; `--help` lists them. */
import { spawnSync } from 'node:child_process';
import { bundle, requireBuild } from './bundle.mjs';

const FILE = 'build/reproduce.mjs';

/** The library is the built one, with its backbone beside it. */
const builtLibrary = {
  name: 'built-library',
  setup(builder) {
    builder.onResolve({ filter: /^(\.\.\/)+(src\/)?index$/ }, () => ({
      path: '../dist/graft.js',
      external: true,
    }));
  },
};

requireBuild();
await bundle({
  entryPoints: ['bench/reproduce/main.ts'],
  outfile: FILE,
  platform: 'node',
  external: ['commander', 'csv-parse', 'cli-progress', 'echarts'],
  plugins: [builtLibrary],
});
const { status } = spawnSync(process.execPath, [FILE, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(status ?? 1);
