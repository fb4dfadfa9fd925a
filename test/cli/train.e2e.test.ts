/** The built command on a two-layer BERT with random weights: what a user does, start to end. */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { goldenPath } from '../support/checkpoint';

const cli = join(import.meta.dirname, '..', '..', 'dist', 'cli.js');
const backbone = goldenPath('bert', 'checkpoint');
const directory = mkdtempSync(join(tmpdir(), 'graft-e2e-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const words = ['love', 'watch', 'end', 'make', 'see', 'never', 'always', 'ever', 'very', 'too'];

/** Rows whose label is which of two words they hold. */
function writeData(name: string, rows: number): string {
  const path = join(directory, name);
  const lines = Array.from({ length: rows }, (_, i) => {
    const [a, b] = [words[i % 10], words[Math.floor(i / 10) % 10]];
    return i % 2 === 0 ? `${a} new ${b}\tfresh` : `${a} ${b} old\tstale`;
  });
  writeFileSync(path, `text\tlabel\n${lines.join('\n')}\n`);
  return path;
}

const train = writeData('train.tsv', 640);
const dev = writeData('dev.tsv', 60);

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Dawn itself writes two notes about limits to stderr, whatever it is told. */
function withoutDawn(stderr: string): string {
  return stderr.replace(/^Warning: maxDynamic.*\n/gm, '');
}

function graft(args: string[], input = ''): Promise<Finished> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [cli, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr: withoutDawn(stderr) });
    });
    child.stdin?.end(input);
  });
}

function trainArguments(out: string, ...more: string[]): string[] {
  const columns = ['--text', 'text', '--label', 'label'];
  const recipe = [
    '--bottleneck',
    '8',
    '--epochs',
    '3',
    '--batch-size',
    '8',
    '--learning-rate',
    '3e-3',
    '--dropout',
    '0.1',
  ];
  return [
    'train',
    '--backbone',
    backbone,
    '--train',
    train,
    '--dev',
    dev,
    ...columns,
    ...recipe,
    '--out',
    out,
    '--backend',
    'webgpu',
    '--json',
    ...more,
  ];
}

function adapterBytes(out: string): string {
  return ['adapter.safetensors', 'model_head.safetensors']
    .map((file) => readFileSync(join(out, file), 'hex'))
    .join('|');
}

describe('graft train', { timeout: 180_000 }, () => {
  const out = join(directory, 'first');
  let first: Finished;

  it('trains, reports and leaves an adapter', async () => {
    first = await graft(trainArguments(out));
    expect(first.stderr).toBe('');
    expect(first.code).toBe(0);
    const reports = first.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(reports.filter(({ type }) => type === 'step').length).toBe(240);
    expect(reports.filter(({ type }) => type === 'epoch').length).toBe(3);
    const done = reports.at(-1);
    expect(done).toMatchObject({ type: 'done', backend: 'webgpu', steps: 240 });
    expect(done.dev.accuracy).toBeGreaterThan(0.95);
    for (const field of ['f1', 'matthews']) expect(done.dev[field]).toBeGreaterThan(0.9);
    // Four adapters of 2·8·64 + 64 + 8, five LayerNorms, a head of two outputs.
    expect(done.trainableParameters).toBe(4 * (2 * 8 * 64 + 64 + 8) + 5 * 128 + 2 * 64 + 2);
    expect(done.trainedShare).toBeCloseTo(done.trainableParameters / done.backboneParameters, 12);
    for (const field of [
      'examplesPerSecond',
      'tokensPerSecond',
      'peakDeviceBytes',
      'activationBytes',
      'seconds',
      'backboneParameters',
    ]) {
      expect(done[field]).toBeGreaterThan(0);
    }
    expect(readdirSync(out).sort()).toEqual([
      'adapter.safetensors',
      'adapter_config.json',
      'head_config.json',
      'model_head.safetensors',
      'report.html',
      'training.jsonl',
    ]);
    expect(readFileSync(join(out, 'training.jsonl'), 'utf8').trim().split('\n').length).toBe(244);
  });

  it('the same seed gives the same bytes, another seed does not', async () => {
    const again = join(directory, 'again');
    const other = join(directory, 'other');
    expect((await graft(trainArguments(again))).code).toBe(0);
    expect((await graft(trainArguments(other, '--seed', '1'))).code).toBe(0);
    expect(adapterBytes(again)).toBe(adapterBytes(out));
    expect(adapterBytes(other)).not.toBe(adapterBytes(out));
  });

  it('killed in the middle of an epoch and resumed, it gives the bytes of a run left alone', async () => {
    const killed = join(directory, 'killed');
    const stepsSeen = await killAfter(trainArguments(killed), 130);
    // Past the state of step 100, in the middle of the second epoch of 80 steps.
    expect(stepsSeen).toBeGreaterThanOrEqual(130);
    expect(stepsSeen).toBeLessThan(160);
    expect(readdirSync(killed)).toContain('checkpoint.graft');
    expect(readdirSync(killed)).not.toContain('adapter.safetensors');
    const refused = await graft(trainArguments(killed));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('--resume');
    const resumed = await graft(trainArguments(killed, '--resume'));
    expect(resumed.stderr).toBe('');
    expect(resumed.code).toBe(0);
    expect(JSON.parse(resumed.stdout.split('\n')[0] ?? '')).toMatchObject({ type: 'step', step: 101 });
    expect(adapterBytes(killed)).toBe(adapterBytes(out));
    expect(readdirSync(killed)).not.toContain('checkpoint.graft');
  });

  it('the CPU backend learns the same, and the same bytes each time', async () => {
    const [once, twice] = [join(directory, 'cpu'), join(directory, 'cpu-again')];
    const run = await graft(trainArguments(once, '--backend', 'wasm'));
    expect(run.code).toBe(0);
    const done = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '');
    expect(done).toMatchObject({ backend: 'wasm', steps: 240 });
    expect(done.dev.accuracy).toBeGreaterThan(0.95);
    expect((await graft(trainArguments(twice, '--backend', 'wasm'))).code).toBe(0);
    expect(adapterBytes(twice)).toBe(adapterBytes(once));
  });

  it('adapters in the upper layer alone: the lower one is kept or not, the bytes are the same', async () => {
    const upper = ['--backend', 'wasm', '--adapter-layers', '1', '--epochs', '2'];
    const runs = await Promise.all(
      ['off', 'auto', 'disk'].map(async (where) => {
        const place = join(directory, `upper-${where}`);
        return { place, ...(await graft(trainArguments(place, ...upper, '--prefix-cache', where))) };
      }),
    );
    const dones = runs.map(({ stdout }) => JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(new Set(runs.map(({ place }) => adapterBytes(place))).size).toBe(1);
    expect(dones.map(({ prefixCache }) => prefixCache?.examples)).toEqual([undefined, 700, 700]);
    expect(dones[1].prefixCache.memoryBytes).toBe(dones[2].prefixCache.diskBytes);
    // Two adapters, the two LayerNorms of layer 1, the head.
    expect(dones[1].trainableParameters).toBe(2 * (2 * 8 * 64 + 64 + 8) + 2 * 128 + 2 * 64 + 2);
    const place = runs[1]?.place ?? '';
    const config = JSON.parse(readFileSync(join(place, 'adapter_config.json'), 'utf8'));
    expect(config.config.leave_out).toEqual([0]);
    expect(readFileSync(join(place, 'report.html'), 'utf8')).toMatch(/In layers.*>1</s);
    const argv = ['--backend', 'wasm', '--backbone', backbone, '--adapter', place, '--data', dev];
    const found = await graft(['eval', ...argv, '--text', 'text', '--label', 'label', '--json']);
    expect(JSON.parse(found.stdout)).toMatchObject(dones[1].dev);
  });

  it('another method, whose files eval loads', async () => {
    const place = join(directory, 'lora');
    const argv = trainArguments(
      place,
      '--backend',
      'wasm',
      '--adapter',
      'lora',
      '--rank',
      '4',
      '--epochs',
      '2',
    );
    const run = await graft(argv.toSpliced(argv.indexOf('--bottleneck'), 2));
    expect(run.stderr).toBe('');
    const done = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '');
    // A and B of two products in two layers, the head.
    expect(done.trainableParameters).toBe(2 * 2 * 2 * 4 * 64 + 2 * 64 + 2);
    expect(done.dev.accuracy).toBeGreaterThan(0.9);
    expect(readdirSync(place).sort()).toEqual([
      'adapter.safetensors',
      'adapter_config.json',
      'report.html',
      'training.jsonl',
    ]);
    expect(readFileSync(join(place, 'report.html'), 'utf8')).toContain('lora, rank 4, alpha 8');
    const given = ['--backend', 'wasm', '--backbone', backbone, '--adapter', place, '--data', dev];
    const found = await graft(['eval', ...given, '--text', 'text', '--label', 'label', '--json']);
    expect(JSON.parse(found.stdout)).toMatchObject(done.dev);
  });

  it('eval finds what training reported', async () => {
    const columns = ['--text', 'text', '--label', 'label'];
    const found = await graft([
      'eval',
      '--backend',
      'webgpu',
      '--backbone',
      backbone,
      '--adapter',
      out,
      '--data',
      dev,
      ...columns,
      '--json',
    ]);
    expect(found.code).toBe(0);
    const done = JSON.parse(first.stdout.trim().split('\n').at(-1) ?? '');
    expect(JSON.parse(found.stdout)).toMatchObject({ accuracy: done.dev.accuracy, f1: done.dev.f1 });
  });

  it('predict reads arguments and lines', async () => {
    const base = ['predict', '--backend', 'webgpu', '--backbone', backbone, '--adapter', out, '--json'];
    const fromArguments = await graft([...base, 'love new end', 'watch never old']);
    const fromLines = await graft(base, 'love new end\nwatch never old\n');
    expect(fromArguments.code).toBe(0);
    expect(fromLines.stdout).toBe(fromArguments.stdout);
    const [fresh, stale] = fromArguments.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect([fresh.label, stale.label]).toEqual(['fresh', 'stale']);
    expect(fresh.scores.fresh + fresh.scores.stale).toBeCloseTo(1, 6);
    expect(fresh.score).toBe(fresh.scores.fresh);
  });

  it('predict takes several adapters, and leaves out the lowest; average makes one of them', async () => {
    const other = join(directory, 'other');
    await graft(trainArguments(other, '--seed', '7'));
    const given = ['predict', '--backend', 'wasm', '--backbone', backbone, 'love new end', 'watch never old'];
    const apart = async (...more: string[]) =>
      (await graft([...given, '--json', ...more])).stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    const together = await apart('--adapter', out, '--adapter', other, '--drop-layers', '1');
    const first = await apart('--adapter', out, '--drop-layers', '1');
    const second = await apart('--adapter', other, '--drop-layers', '1');
    expect(together).toEqual(first.map((prediction, i) => ({ [out]: prediction, [other]: second[i] })));
    expect(first).not.toEqual(await apart('--adapter', out));
    const { stdout } = await graft([...given, '--adapter', out, '--adapter', other]);
    const [line = ''] = stdout.split('\n');
    expect(line).toMatch(
      /first: (fresh|stale) {2}[01]\.\d{4} {2}\S*other: (fresh|stale) {2}[01]\.\d{4} {2}love new end$/,
    );
    const twice = await graft([...given, '--adapter', out, '--adapter', out]);
    expect(twice.stderr).toMatch(/--adapter: .*first is there twice/);
    const averaged = join(directory, 'mean');
    const between = ['average', '--backbone', backbone, '--adapter', out, '--adapter', other];
    const mean = await graft([...between, '--weights', '1,0', '--out', averaged]);
    expect(mean.stdout).toMatch(/mean\/adapter\.safetensors +[\d,]+ bytes/);
    expect(await apart('--adapter', averaged)).toEqual(await apart('--adapter', out));
    const head = await graft([...between, '--head', averaged, '--out', averaged]);
    expect(head.stderr).toMatch(/--head: .*mean is not one of the adapters/);
    const tooMany = await graft([...given, '--adapter', out, '--drop-layers', '3']);
    expect(tooMany.stderr).toMatch(/dropLayers: 3 is not a whole number from 0 to 2, the backbone's layers/);
  });

  it('a diverging run says so and leaves no adapter', async () => {
    const diverged = join(directory, 'diverged');
    const run = await graft(trainArguments(diverged, '--learning-rate', '1e30', '--clip', '0'));
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/^graft: step \d+: the (loss|gradient's norm) is (NaN|Infinity)/);
    expect(readdirSync(diverged)).not.toContain('adapter.safetensors');
  });
});

describe('graft tokenize', () => {
  it('prints the ids of each line', async () => {
    const { stdout, code } = await graft(['tokenize', '--backbone', backbone, '--json'], 'love new\n\nend\n');
    expect(code).toBe(0);
    const ids = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(ids.length).toBe(3);
    expect(ids[1]).toEqual([2, 3]);
    expect(ids[0].length).toBe(4);
  });
});

/** Runs the command and kills it (SIGKILL) once it has printed so many steps; returns how many it had printed. */
function killAfter(args: string[], steps: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    let printed = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text: string) => {
      printed += text;
      if (countSteps(printed) >= steps) child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('close', () => resolve(countSteps(printed)));
  });
}

function countSteps(printed: string): number {
  return printed.split('"type":"step"').length - 1;
}
