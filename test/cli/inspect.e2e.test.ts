/** The built command on files: what `graft inspect` and `graft export` say and leave. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { goldenPath } from '../support/checkpoint';

const cli = join(import.meta.dirname, '..', '..', 'dist', 'cli.js');
const adapter = goldenPath('adapterhub', 'bin');
const root = mkdtempSync(join(tmpdir(), 'graft-inspect-'));
afterAll(() => rmSync(root, { recursive: true }));

function graft(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

describe('graft inspect and graft export', () => {
  it('turn an adapter of .bin files into halves', async () => {
    const out = join(root, 'halves');
    const { code, stdout } = await graft('export', adapter, '--out', out, '--half');
    expect(code).toBe(0);
    expect(stdout).toMatch(/adapter\.safetensors +[\d,]+ bytes\n/);
    expect(readdirSync(out).sort()).toEqual([
      'adapter.safetensors',
      'adapter_config.json',
      'head_config.json',
      'model_head.safetensors',
    ]);
    const inspected = await graft('inspect', out, '--json');
    expect(JSON.parse(inspected.stdout)).toMatchObject({
      kind: 'adapter',
      facts: { method: 'houlsby', labels: ['bad', 'fair', 'good'] },
      parameters: 263,
    });
    const file = await graft('inspect', join(out, 'model_head.safetensors'));
    expect(file.stdout).toMatch(/^tensors +\S+model_head.safetensors\n/);
    expect(file.stdout).toMatch(/ {2}classifier.bias +F16 {2}\[3\]\n/);
  });

  it('refuse what they cannot do in one line, and leave nothing', async () => {
    const out = join(root, 'peft');
    const refused = await graft('export', adapter, '--out', out, '--format', 'peft');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^graft: format: peft has no method "houlsby"\. It has lora and ia3\n$/);
    expect(readdirSync(root)).not.toContain('peft');
    const missing = await graft('inspect', join(root, 'nothing'));
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/^graft: \S+nothing: no such directory/);
  });
});
