import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

const bundle = readFileSync(join(import.meta.dirname, '..', '..', 'dist', 'graft.js'));

describe('the library in one file', () => {
  it('is at most 150 KB gzipped, WASM and WGSL included', () => {
    expect(gzipSync(bundle, { level: 9 }).length).toBeLessThan(150_000);
    expect(bundle.toString()).toContain('fn linear_forward');
  });

  it('imports nothing', () => {
    expect(bundle.toString()).not.toMatch(/^\s*import[\s{*'"]|\bfrom\s*['"][^'"]+['"];/m);
  });

  it('leaves the embedded backbone in a module of its own, which only those load who need it', () => {
    expect(bundle.toString()).not.toContain('models/graft-mini');
    expect(bundle.toString()).toContain('import("./mini.js")');
  });
});
