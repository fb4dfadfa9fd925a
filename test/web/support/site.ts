/** The built site and a server for it, with what tests need to put in its way. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StaticServer, startStaticServer } from '../../../tools/static-server.mjs';

const root = join(import.meta.dirname, '..', '..', '..');

/** Builds the site into a new directory; `engine` is a worker in the place of the real one, relative to the repository. */
export function buildSite(engine?: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'graft-site-'));
  execFileSync(
    process.execPath,
    [
      join('tools', 'web', 'main.mjs'),
      '--build-only',
      '--directory',
      directory,
      ...(engine === undefined ? [] : ['--engine', engine]),
    ],
    { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  return directory;
}

export interface SiteOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly port?: number;
  /** Put in front of the worker's script. */
  readonly prelude?: string;
  readonly onRequest?: (path: string) => void;
}

export function serveSite(
  directory: string,
  { prelude = '', ...more }: SiteOptions = {},
): Promise<StaticServer> {
  return startStaticServer({
    directory,
    ...more,
    prelude: (path) => (path.endsWith('/worker.js') ? prelude : ''),
  });
}
