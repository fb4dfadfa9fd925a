/** The built command without `--backbone`: the first thing that a newcomer does. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const cli = join(root, 'dist', 'cli.js');
const directory = mkdtempSync(join(tmpdir(), 'graft-embedded-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Without a home or a network, so that nothing can come from a cache or a hub. */
function graft(args: string[], input = ''): Promise<Finished> {
  const env = {
    PATH: process.env.PATH,
    GRAFT_CACHE: join(directory, 'cache'),
    HF_ENDPOINT: 'http://127.0.0.1:9',
  };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [cli, ...args],
      { cwd: directory, env },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
      },
    );
    child.stdin?.end(input);
  });
}

describe('graft without --backbone', { timeout: 120_000 }, () => {
  const data = join(root, 'examples', 'data', 'messages');
  const columns = ['--text', 'text', '--label', 'topic', '--backend', 'wasm'];

  it('trains on graft-mini and says so', async () => {
    const files = ['--train', `${data}.train.tsv`, '--dev', `${data}.dev.tsv`];
    const recipe = ['--limit', '64', '--epochs', '1', '--bottleneck', '8', '--out', 'messages'];
    const { code, stderr } = await graft(['train', ...files, ...columns, ...recipe]);
    expect(stderr).toMatch(/^backbone: graft-mini$/m);
    expect(code).toBe(0);
    expect(readFileSync(join(directory, 'messages', 'report.html'), 'utf8')).toContain('<td>graft-mini</td>');
  });

  it('evaluates and predicts with what was trained, and by name too', async () => {
    const evaluated = await graft(['eval', '--adapter', 'messages', '--data', `${data}.dev.tsv`, ...columns]);
    expect(evaluated.stdout).toMatch(/^backbone +graft-mini$/m);
    const predict = [
      'predict',
      '--adapter',
      'messages',
      '--backend',
      'wasm',
      '--json',
      'Where is my parcel?',
    ];
    const predicted = await graft(predict);
    expect(JSON.parse(predicted.stdout)).toMatchObject({ label: expect.any(String) });
    expect((await graft([...predict, '--backbone', 'graft-mini'])).stdout).toBe(predicted.stdout);
  });

  it('tokenizes with its vocabulary', async () => {
    const { stdout, code } = await graft(['tokenize', '--json'], 'a parcel\n');
    expect(code).toBe(0);
    expect(JSON.parse(stdout).length).toBeGreaterThanOrEqual(4);
  });
});
