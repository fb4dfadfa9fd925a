import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vitest/config';

/** Loads .wgsl and .txt as text and .wasm as bytes, as esbuild does for the published file. */
function inlineAssets(): Plugin {
  return {
    name: 'graft-inline-assets',
    enforce: 'pre',
    load(id) {
      const path = id.split('?')[0] ?? id;
      if (path.endsWith('.wgsl') || path.endsWith('.txt')) {
        return `export default ${JSON.stringify(readFileSync(path, 'utf8'))};`;
      }
      if (path.endsWith('.wasm')) {
        const base64 = readFileSync(path).toString('base64');
        return `export default Uint8Array.from(atob('${base64}'), (c) => c.charCodeAt(0));`;
      }
      return null;
    },
  };
}

export default defineConfig({
  plugins: [inlineAssets()],
  // As tsconfig.json has it: the web application's engine is tested on the library's source.
  resolve: { alias: [{ find: /^graft-ml$/, replacement: join(import.meta.dirname, 'src', 'index.ts') }] },
  test: {
    include: ['test/**/*.test.ts'],
    typecheck: { enabled: true, include: ['test/**/*.test-d.ts'], tsconfig: 'tsconfig.json' },
    environment: 'node',
    // The report's style sheet is imported as text; vitest would empty it.
    css: true,
    pool: 'forks',
    // One native WebGPU device per process: two software devices would only fight for the same cores.
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
