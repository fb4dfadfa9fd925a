/**
 * Bundles and runs the benchmarks: npm run bench -- [PART …] [options]; `--help` lists them.
 */
import { spawnSync } from 'node:child_process';
import { buildProbes, bundle, requireBuild } from './bundle.mjs';

const DIRECTORY = 'build/bench';
/** The process of the cold start loads the built library, as users do; it lies two levels up from the bundle. */
const builtLibrary = {
  name: 'built-library',
  setup(builder) {
    builder.onResolve({ filter: /^\.\.\/\.\.\/src\/index$/ }, () => ({
      path: '../../dist/graft.js',
      external: true,
    }));
  },
};

requireBuild();
await buildProbes();
await bundle({
  entryPoints: { main: 'bench/cli/main.ts', 'cold-start-child': 'bench/cold-start/child.ts' },
  outdir: DIRECTORY,
  platform: 'node',
  external: ['webgpu', 'commander'],
  plugins: [builtLibrary],
});
const { status } = spawnSync(process.execPath, [`${DIRECTORY}/main.js`, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
