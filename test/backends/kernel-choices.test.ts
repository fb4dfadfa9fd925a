import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeviceDescription } from '../../src/backends/backend';
import { WebGPUBackend } from '../../src/backends/webgpu/backend';
import { KernelChoices } from '../../src/backends/webgpu/kernel-choices';
import { linear } from '../../src/ops/linear';
import { rememberedText } from '../../src/platform/remembered';
import { buildSchedule } from '../../src/scheduler/build-schedule';
import { frozen, Tape } from '../../src/scheduler/tape';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'graft-kernels-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function device(name: string): DeviceDescription {
  return { name, vendor: 'v', architecture: 'a', isFallback: false, features: [], limits: {} };
}

describe('remembered kernel choices', () => {
  it('outlive the process, for each device apart', async () => {
    const text = rememberedText('apart.json', directory);
    await new KernelChoices(device('one'), text).add(new Map([['k 4×4×4', 'wide']]));
    await new KernelChoices(device('two'), text).add(new Map([['k 4×4×4', 'tiled']]));
    await new KernelChoices(device('two'), text).add(new Map([['k 8×8×8', 'blocked']]));
    expect(await new KernelChoices(device('one'), text).load()).toEqual(new Map([['k 4×4×4', 'wide']]));
    expect(await new KernelChoices(device('two'), text).load()).toEqual(
      new Map([
        ['k 4×4×4', 'tiled'],
        ['k 8×8×8', 'blocked'],
      ]),
    );
  });

  it.each([
    ['no JSON', '{"devices": {'],
    ['another shape', '[1, 2]'],
    ['records of another shape', '{"devices": {"v / a / one": 7}}'],
    [
      'a variant that does not exist',
      '{"devices": {"v / a / one": {"version": "0", "choices": {"k": "fastest"}}}}',
    ],
    ["another version's choices", '{"devices": {"v / a / one": {"version": "0", "choices": {"k": "wide"}}}}'],
  ])('%s counts as nothing and is written anew', async (_, content) => {
    await writeFile(join(directory, 'bad.json'), content);
    const text = rememberedText('bad.json', directory);
    const choices = new KernelChoices(device('one'), text);
    expect(await choices.load()).toEqual(new Map());
    await choices.add(new Map([['k 2×2×2', 'tiled']]));
    expect(await new KernelChoices(device('one'), text).load()).toEqual(new Map([['k 2×2×2', 'tiled']]));
  });

  it('are done without where nothing can be written', async () => {
    await writeFile(join(directory, 'a-file'), '');
    const text = rememberedText('kernels.json', join(directory, 'a-file'));
    await text.write('x');
    expect(await text.read()).toBeUndefined();
  });
});

describe('tuning', () => {
  const before = process.env.GRAFT_CACHE;
  beforeAll(() => {
    process.env.GRAFT_CACHE = join(directory, 'cache');
  });
  afterAll(() => {
    if (before === undefined) delete process.env.GRAFT_CACHE;
    else process.env.GRAFT_CACHE = before;
  });

  /** Prepares a product that is worth a measurement; returns what is then known of the device. */
  async function prepareProduct(): Promise<{
    measured: readonly unknown[];
    held: number;
    hasChoice: boolean;
  }> {
    const backend = await WebGPUBackend.create();
    const weight = await backend.allocate(512 * 512 * 4, 'weight');
    const tape = new Tape();
    const x = { ...frozen('x', await backend.allocate(256 * 512 * 4, 'x'), 1, 512), rows: 'tokens' as const };
    const output = linear(tape, x, frozen('weight', weight, 512, 512), undefined);
    const schedule = buildSchedule(
      'tuned',
      tape.forward(),
      { output },
      {
        tokenCount: 256,
        sequenceCount: 1,
        tileCount: 16,
      },
    );
    const held = backend.memory.held;
    const executable = await backend.prepare(schedule);
    executable.dispose();
    const measured = await backend.measuredKernels();
    const result = {
      measured,
      held: backend.memory.held - held,
      // A software driver without subgroups of 8 has one variant to run.
      hasChoice: !backend.device.isFallback || backend.device.features.includes('subgroups'),
    };
    backend.dispose();
    return result;
  }

  it('measures once, remembers, and gives its memory back', async () => {
    const first = await prepareProduct();
    expect(first.held).toBe(0);
    expect(first.measured.length).toBe(first.hasChoice ? 1 : 0);
    if (!first.hasChoice) return;
    const path = join(directory, 'cache', 'kernels.json');
    const written = await readFile(path, 'utf8');
    // What is remembered is taken, not measured again: also where it is the slower one.
    const slower = written.includes('lanes24')
      ? written.replaceAll('lanes24', 'lanes16')
      : written.replaceAll(/lanes16|tiled|wide|blocked/g, written.includes('lanes16') ? 'lanes24' : 'tiled');
    await writeFile(path, slower);
    const second = await prepareProduct();
    expect(second.measured).toEqual([
      expect.objectContaining({ variant: slower.match(/lanes16|lanes24|tiled/)?.[0] }),
    ]);
    expect(await readFile(path, 'utf8')).toBe(slower);
  });
});
