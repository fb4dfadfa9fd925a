/**
 * Declarations for the package: those that its entry points reach, with the file extensions that `moduleResolution: nodenext`
 * demands of an ES module (the compiler writes specifiers as the sources have them, without).
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/** `from './x'`, `import('./x')`, `import './x'`; the compiler's output has no other forms. */
const RELATIVE_SPECIFIER = /(\bfrom\s+|\bimport\(|\bimport\s+)(["'])(\.{1,2}\/[^"']*)\2/g;

/** Copies the declarations of `entries` (paths without extension inside `from`), and what they import, to `to`. */
export async function copyDeclarations(from, to, entries) {
  const waiting = entries.map((entry) => join(from, `${entry}.d.ts`));
  const seen = new Set(waiting);
  for (const file of waiting) {
    const text = (await readFile(file, 'utf8')).replace(RELATIVE_SPECIFIER, (_, before, quote, specifier) => {
      const target = join(dirname(file), specifier);
      const found = [target, join(target, 'index')].find((path) => existsSync(`${path}.d.ts`));
      if (found === undefined) throw new Error(`${file}: ${specifier} has no declarations`);
      const declarations = `${found}.d.ts`;
      if (!seen.has(declarations)) {
        seen.add(declarations);
        waiting.push(declarations);
      }
      const path = relative(dirname(file), found).replaceAll('\\', '/');
      return `${before}${quote}${path.startsWith('.') ? path : `./${path}`}.js${quote}`;
    });
    const target = join(to, relative(from, file));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
  }
}
