/**
 * Builds the documentation's site, build/site/docs: the guide and the other pages of docs/, and the API's reference from the
 * docstrings. Warnings (a broken link, an export without a docstring) are errors.
 *   node tools/docs.mjs [--serve]     --serve: shows it at a local address afterwards
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';

/** Ends here where the program fails; it has said why. */
function run(program, args) {
  const { status } = spawnSync(program, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync('docs/site/node_modules/typedoc')) run('npm', ['ci', '--prefix', 'docs/site']);
await rm('build/site/docs', { recursive: true, force: true });
run(process.execPath, ['docs/site/node_modules/typedoc/bin/typedoc', '--options', 'docs/site/typedoc.json']);
if (process.argv.includes('--serve')) run('npx', ['vite', 'preview', '--outDir', 'build/site/docs']);
