/**
 * Builds the documentation's site, build/site/docs: the guide and the other pages of docs/, and the API's reference from the
 * docstrings. Warnings (a broken link, an export without a docstring) are errors.
 *   node tools/docs.mjs [--serve]     --serve: shows it at a local address afterwards
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';

const run = (program, args) => execFileSync(program, args, { stdio: 'inherit' });

if (!existsSync('docs/site/node_modules/typedoc')) run('npm', ['ci', '--prefix', 'docs/site']);
await rm('build/site/docs', { recursive: true, force: true });
run(process.execPath, ['docs/site/node_modules/typedoc/bin/typedoc', '--options', 'docs/site/typedoc.json']);
if (process.argv.includes('--serve')) run('npx', ['vite', 'preview', '--outDir', 'build/site/docs']);
