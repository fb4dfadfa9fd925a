/** The example programs run as they stand, on the built package. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { goldenPath } from '../support/checkpoint';

const root = join(import.meta.dirname, '..', '..');
const directory = mkdtempSync(join(tmpdir(), 'graft-examples-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function run(example: string, ...args: string[]): Promise<string> {
  const script = join(root, 'examples', example);
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], { cwd: directory });
  return stdout;
}

describe('examples/train.mjs', { timeout: 120_000 }, () => {
  it('trains on the backbone given and leaves an adapter', async () => {
    const printed = await run('train.mjs', goldenPath('bert', 'checkpoint'));
    expect(printed.match(/^epoch \d+: dev accuracy 0\.\d+$/gm)?.length).toBe(10);
    expect(readdirSync(join(directory, 'messages-adapter'))).toContain('adapter.safetensors');
  });
});

describe('examples/demo.mjs', { timeout: 300_000 }, () => {
  it('trains two tasks on one backbone, each better than before, and leaves adapters and reports', async () => {
    const printed = await run('demo.mjs');
    const accuracies = [...printed.matchAll(/dev accuracy +([\d.]+)% before, ([\d.]+)% after/g)];
    expect(accuracies.length).toBe(2);
    // Chance is 20% and 50%.
    for (const [, before, after] of accuracies) expect(Number(after)).toBeGreaterThan(Number(before) + 10);
    expect(printed).toMatch(/^ {2}backbone +[\d,]+ bytes, once$/m);
    for (const name of ['messages', 'reviews']) {
      const folder = join(root, 'build', 'demo', name);
      const size = [
        'adapter.safetensors',
        'adapter_config.json',
        'head_config.json',
        'model_head.safetensors',
      ]
        .map((file) => readFileSync(join(folder, file)).length)
        .reduce((sum, length) => sum + length, 0);
      expect(printed).toContain(`${size.toLocaleString('en-US')} bytes, adapter and head`);
      expect(existsSync(join(folder, 'report.html'))).toBe(true);
    }
  });
});
