/** The package as npm would publish it, in a new directory: what its users get. Everything comes from this machine. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

export const repository = join(import.meta.dirname, '..', '..');

export interface PackedFile {
  readonly path: string;
  readonly size: number;
}

export interface InstalledPackage {
  /** A user's project: package.json, and the package in node_modules with its dependencies beside it. */
  readonly directory: string;
  /** node_modules/graft-ml in it. */
  readonly installed: string;
  readonly tarball: string;
  /** What the tarball holds. */
  readonly files: readonly PackedFile[];
  /** Runs a program in the project; its standard output. */
  run(program: string, args: readonly string[]): Promise<string>;
  /** Makes a package of the repository's available to the project. */
  link(name: string): void;
  remove(): void;
}

/** Packs and installs what is built. */
export function installPackage(): InstalledPackage {
  const directory = mkdtempSync(join(tmpdir(), 'graft-package-'));
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', directory];
  const [packed] = JSON.parse(execFileSync('npm', args, { cwd: repository, encoding: 'utf8' }));
  const tarball = join(directory, packed.filename);
  const installed = join(directory, 'node_modules', 'graft-ml');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  writeFileSync(
    join(directory, 'package.json'),
    JSON.stringify({ type: 'module', dependencies: { 'graft-ml': '*' } }),
  );
  const link = (name: string) => {
    const path = join(directory, 'node_modules', name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(join(repository, 'node_modules', name), path);
  };
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) link(name);
  return {
    directory,
    installed,
    tarball,
    files: packed.files,
    async run(program, args) {
      const { stdout } = await promisify(execFile)(program, args, { cwd: directory, timeout: 180_000 });
      return stdout;
    },
    link,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
