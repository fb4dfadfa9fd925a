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
  const { dependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  // npm takes the dependencies from the repository, so that it needs neither a registry nor what its cache may hold.
  const overrides = Object.fromEntries(
    Object.keys(dependencies).map((name) => [name, `file:${join(repository, 'node_modules', name)}`]),
  );
  const project = { type: 'module', dependencies: { 'graft-ml': `file:./${packed.filename}` }, overrides };
  writeFileSync(join(directory, 'package.json'), JSON.stringify(project));
  const install = ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  execFileSync('npm', [...install, '--cache', join(directory, 'cache')], { cwd: directory, stdio: 'pipe' });
  return {
    directory,
    installed,
    tarball,
    files: packed.files,
    async run(program, args) {
      const { stdout } = await promisify(execFile)(program, args, { cwd: directory, timeout: 180_000 });
      return stdout;
    },
    link(name) {
      const path = join(directory, 'node_modules', name);
      mkdirSync(dirname(path), { recursive: true });
      symlinkSync(join(repository, 'node_modules', name), path);
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
