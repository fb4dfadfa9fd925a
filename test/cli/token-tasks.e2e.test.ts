/** The built command on WNUT17 and XQuAD: a few steps of training, then what a user does with the adapter. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { goldenPath } from '../support/checkpoint';
import { sharedPath } from '../support/shared';

const cli = join(import.meta.dirname, '..', '..', 'dist', 'cli.js');
const directory = mkdtempSync(join(tmpdir(), 'graft-token-tasks-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const data = sharedPath('data');
if (data === undefined)
  console.log('Skipped: WNUT17 and XQuAD, for the shared data is not there (set GRAFT_SHARED)');
const device = ['--backbone', goldenPath('bert', 'checkpoint'), '--backend', 'wasm'];
const recipe = ['--bottleneck', '8', '--epochs', '1', '--batch-size', '8', '--limit', '48'];

function graft(
  args: readonly string[],
  input = '',
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [cli, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
    child.stdin?.end(input);
  });
}

/** The objects that a command printed, a line each. */
function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe.skipIf(data === undefined)('token classification on WNUT17', { timeout: 240_000 }, () => {
  const out = join(directory, 'wnut17');
  const dev = `${data}/wnut17/emerging.dev.conll`;

  it('trains', async () => {
    const files = ['--train', `${data}/wnut17/wnut17train.conll`, '--out', out];
    const { code, stdout, stderr } = await graft([
      'train',
      '--task',
      'token-classification',
      ...files,
      ...recipe,
      '--json',
      ...device,
    ]);
    expect(code, stderr).toBe(0);
    const reports = jsonLines(stdout);
    expect(reports.map(({ type }) => type)).toEqual([...Array(6).fill('step'), 'epoch', 'done']);
    for (const { loss } of reports.slice(0, 6)) expect(Number(loss)).toBeGreaterThan(0);
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('token-classification');
  });

  it('evaluates', async () => {
    // Labels that the 48 sentences do not have are refused with their place.
    const unknown = await graft(['eval', '--adapter', out, '--data', dev, ...device]);
    expect(unknown.code).not.toBe(0);
    expect(unknown.stderr).toMatch(/emerging\.dev\.conll.*line \d+|emerging\.dev\.conll:\d+/);
    const { stdout: known } = await graft(['inspect', out, '--json']);
    expect(known).toContain('token-classification');
    const file = join(directory, 'dev.conll');
    writeFileSync(file, 'Empire\tO\nState\tO\n\nfilm\tO\n');
    const { code, stdout, stderr } = await graft([
      'eval',
      '--adapter',
      out,
      '--data',
      file,
      '--json',
      ...device,
    ]);
    expect(code, stderr).toBe(0);
    expect(jsonLines(stdout)).toMatchObject([{ examples: 2, byType: {} }]);
    const table = await graft(['eval', '--adapter', out, '--data', file, ...device]);
    expect(table.stdout).toMatch(/F1 of entities +\d\.\d{4}\n/);
  });

  it('predicts, a text a line', async () => {
    const args = ['predict', '--adapter', out, ...device];
    const { stdout } = await graft([...args, '--json'], 'The Empire State Building\nfilm\n');
    const [first, second] = jsonLines(stdout);
    expect(first).toHaveProperty('tokens.length', 4);
    expect(second).toHaveProperty('tokens.length', 1);
    const plain = await graft(args, 'film\n');
    expect(plain.stdout).toMatch(/^(\(none\)|[\w-]+ "film" \d\.\d{4}) {2}film\n$/);
  });
});

describe.skipIf(data === undefined)('question answering on XQuAD', { timeout: 240_000 }, () => {
  const out = join(directory, 'xquad');
  const file = `${data}/xquad/xquad.en.json`;

  it('trains', async () => {
    const args = ['--train', file, '--out', out, '--max-length', '96'];
    const { code, stdout, stderr } = await graft([
      'train',
      '--task',
      'question-answering',
      ...args,
      ...recipe,
      '--json',
      ...device,
    ]);
    expect(code, stderr).toBe(0);
    const reports = jsonLines(stdout);
    expect(reports.at(-1)).toMatchObject({ type: 'done', truncatedExamples: 0 });
    // Contexts take several windows.
    expect(reports.length).toBeGreaterThan(6 + 2);
  });

  it('evaluates', async () => {
    const small = join(directory, 'small.json');
    const squad = JSON.parse(readFileSync(file, 'utf8'));
    const [article] = squad.data;
    writeFileSync(small, JSON.stringify({ data: [{ paragraphs: article.paragraphs.slice(0, 1) }] }));
    const { code, stdout, stderr } = await graft([
      'eval',
      '--adapter',
      out,
      '--data',
      small,
      '--json',
      ...device,
    ]);
    expect(code, stderr).toBe(0);
    const [metrics] = jsonLines(stdout);
    expect(Number(metrics?.f1)).toBeGreaterThanOrEqual(Number(metrics?.exactMatch));
    expect(metrics?.examples).toBe(article.paragraphs[0].qas.length);
  });

  it('predicts, question and context with a tab between', async () => {
    const args = ['predict', '--adapter', out, ...device];
    const context = 'The film was made by two people in the city.';
    const { stdout } = await graft([...args, '--json'], `Who made it?\t${context}\n`);
    const [prediction] = jsonLines(stdout);
    expect(context.slice(Number(prediction?.start), Number(prediction?.end))).toBe(prediction?.answer);
    const refused = await graft(args, 'Who made it?\n');
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('holds no context');
  });
});

it('asks for the columns of a table', async () => {
  const path = join(directory, 'table.tsv');
  writeFileSync(path, 'text\tlabel\na\tb\n');
  const args = ['train', '--train', path, '--out', join(directory, 'none'), ...device];
  expect((await graft(args)).stderr).toContain('--text');
  expect((await graft([...args, '--text', 'text'])).stderr).toContain('--label');
});
