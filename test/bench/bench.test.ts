/** `npm run bench` as one calls it: every part runs, and every number is one. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BenchDocument } from '../../bench/report/table';

const root = join(import.meta.dirname, '..', '..');

async function runBench(...args: string[]): Promise<string> {
  const script = join('tools', 'bench', 'main.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], {
    cwd: root,
    timeout: 240_000,
    maxBuffer: 2 ** 24,
  });
  return stdout;
}

function expectSound({ tables }: BenchDocument): void {
  for (const { name, columns, rows } of tables) {
    expect(rows.length, name).toBeGreaterThan(0);
    for (const row of rows) {
      expect(Object.keys(row).sort(), name).toEqual(
        expect.arrayContaining(columns.map(({ key }) => key).sort()),
      );
      for (const [key, value] of Object.entries(row)) {
        expect(typeof value === 'string' ? value !== '' : Number.isFinite(value), `${name}, ${key}`).toBe(
          true,
        );
      }
      if ('milliseconds' in row) expect(row.milliseconds, name).toBeGreaterThanOrEqual(0);
    }
  }
}

describe('all parts, quick, on the CPU', () => {
  let document: BenchDocument;

  beforeAll(async () => {
    document = JSON.parse(await runBench('--quick', '--backend', 'wasm', '--json'));
  }, 240_000);

  it('say where they ran', () => {
    const { machine, isQuick } = document;
    expect(isQuick).toBe(true);
    expect(machine).toMatchObject({ backend: 'wasm', runtime: `Node ${process.versions.node}` });
    expect(machine.cores).toBeGreaterThan(0);
    expect(machine.cpu).not.toBe('');
    expect(Math.abs(Date.parse(machine.date) - Date.now())).toBeLessThan(240_000);
  });

  it('give tables of finite numbers', () => {
    expect(document.tables.map(({ name }) => name)).toEqual([
      'probes',
      'kernels',
      'step',
      'step-setup',
      'step-kernels',
      'tokens',
      'tokens-line',
      'tokenizer',
      'optimizer',
      'cold-start',
    ]);
    expectSound(document);
  });
});

describe('one part', () => {
  it('runs on WebGPU too', { timeout: 240_000 }, async () => {
    const args = ['kernels', '--op', 'add', 'tanh', '--quick', '--backend', 'webgpu', '--json'];
    const document: BenchDocument = JSON.parse(await runBench(...args));
    expectSound(document);
    const [probes, kernels] = document.tables;
    expect(probes?.rows.map(({ probe }) => probe)).toEqual(['multiply-add', 'copy', 'copy']);
    expect(kernels?.rows.map(({ kernel }) => kernel)).toEqual(['tanh forward', 'tanh backward', 'add']);
  });

  it.each([
    [['kernels', '--op', 'softmax', '--backend', 'wasm'], /there is no op softmax/],
    [['speed'], /'speed' is invalid/],
    [['tokenizer', '--text', 'a.tsv'], /go together/],
  ])('of bad arguments says what is wrong: %s', async (args, message) => {
    await expect(runBench(...args)).rejects.toThrow(message);
  });
});
