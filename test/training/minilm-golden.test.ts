/** 50 steps of MiniLM on SST-2 against PyTorch (10 on a software WebGPU driver): test/golden/minilm_curve.py. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { houlsby } from '../../src/adapters/houlsby';
import { createRuntime, loadBackbone, type Task } from '../../src/index';
import type { Example } from '../../src/training/types';
import { goldenPath, minilmPath } from '../support/checkpoint';
import { relativeError } from '../support/compare';
import { sharedPath } from '../support/shared';

interface Curve {
  readonly losses: number[];
  readonly tokens: number[];
  readonly tensors: readonly {
    name: string;
    shape: number[];
    ordinal: number;
    scale: number;
    firstValues: number[];
  }[];
}

const curve: Curve = JSON.parse(readFileSync(goldenPath('minilm', 'curve.json'), 'utf8'));
const minilm = minilmPath();
const sst2 = sharedPath('data', 'sst2', 'train.tsv');
const missing =
  minilm === undefined
    ? 'all-MiniLM-L6-v2 is not in .cache/minilm (or GRAFT_MINILM)'
    : sst2 === undefined
      ? 'the shared SST-2 data is absent'
      : undefined;
if (missing !== undefined) console.warn(`skipped: the loss curve of MiniLM; ${missing}`);

/** The starting values' formula: see "about" in curve.json. */
function startingValues(ordinal: number, scale: number, length: number): Float32Array {
  const mix = (word: number) => {
    let h = word;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return (h ^ (h >>> 16)) >>> 0;
  };
  return Float32Array.from({ length }, (_, i) => scale * ((mix(i ^ mix(ordinal)) + 0.5) / 2 ** 31 - 1));
}

function firstExamples(path: string, count: number): Example[] {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .slice(1, count + 1);
  return lines.map((line) => {
    const [text = '', label = ''] = line.split('\t');
    return { text, label };
  });
}

/** Puts the formula's values in place of the task's own; LayerNorms and biases are as the task makes them. */
async function setStart(task: Task): Promise<void> {
  const given = new Map(curve.tensors.map((tensor) => [tensor.name, tensor]));
  const current = new Map<string, Float32Array>();
  task.setParameters((name, value) => {
    const tensor = given.get(name);
    if (tensor === undefined) return value;
    const length = tensor.shape.reduce((product, size) => product * size, 1);
    const values = startingValues(tensor.ordinal, tensor.scale, length);
    expect([...values.subarray(0, 2)]).toEqual(tensor.firstValues);
    current.set(name, values);
    return values;
  });
  expect(current.size).toBe(curve.tensors.length);
}

describe.skipIf(missing !== undefined)('MiniLM on SST-2', () => {
  it.each(['webgpu', 'wasm'] as const)(
    'the loss of each step on %s',
    { timeout: 600_000 },
    async (backend) => {
      const runtime = await createRuntime({ backend });
      const backbone = await loadBackbone(minilm ?? '', { runtime });
      const task = await backbone.createTask({
        labels: ['0', '1'],
        adapter: houlsby({ bottleneck: 64 }),
        dropout: 0,
      });
      await setStart(task);
      const losses: number[] = [];
      const examples = firstExamples(sst2 ?? '', 1600);
      // All 50 take a software driver two to four minutes.
      const steps = backend === 'webgpu' && runtime.device.isFallback ? 10 : 50;
      for await (const report of task.train(examples, { epochs: 1, shuffle: false })) {
        if (report.type === 'step') losses.push(report.loss);
        if (losses.length === steps) break;
      }
      runtime.dispose();
      expect(losses.length).toBe(steps);
      expect(relativeError(losses, curve.losses.slice(0, steps))).toBeLessThan(1e-3);
    },
  );
});
