/** WebGPU and the CPU draw the same masks and follow the same loss curve. */
import { expect, it } from 'vitest';
import { houlsby } from '../../src/adapters/houlsby';
import { loadBackbone } from '../../src/training/backbone';
import { createRuntime } from '../../src/training/runtime';
import type { Example } from '../../src/training/types';
import { goldenPath } from '../support/checkpoint';

const words = ['love', 'watch', 'end', 'make', 'see', 'never', 'always', 'ever', 'very', 'too'];
const examples: Example[] = words.flatMap((a) =>
  words.flatMap((b) => [
    { text: `${a} new ${b}`, label: 'fresh' },
    { text: `${a} ${b} old ${a} ${b}`, label: 'stale' },
  ]),
);

/** The same, and a third of them with both labels. */
const multiLabelExamples = examples.map(({ text, label }, i): Example => {
  if (i % 3 > 0) return { text, label: [String(label)] };
  return { text: `old ${text} new`, label: ['fresh', 'stale'] };
});

async function losses(backend: 'webgpu' | 'wasm', kind: 'classification' | 'multi-label'): Promise<number[]> {
  const runtime = await createRuntime({ backend });
  const backbone = await loadBackbone(goldenPath('bert', 'checkpoint'), { runtime });
  const task = await backbone.createTask({
    kind,
    labels: ['fresh', 'stale'],
    adapter: houlsby({ bottleneck: 8 }),
    dropout: 0.1,
    maxLength: 32,
  });
  const curve: number[] = [];
  const given = kind === 'multi-label' ? multiLabelExamples : examples;
  const options = { epochs: 2, batchSize: 8, learningRate: 1e-3, seed: 3, classWeights: { stale: 2 } };
  for await (const report of task.train(given, options)) {
    if (report.type === 'step') curve.push(report.loss);
  }
  runtime.dispose();
  return curve;
}

it.each(['classification', 'multi-label'] as const)(
  'over 50 steps with dropout and a weight: %s',
  { timeout: 120_000 },
  async (kind) => {
    const [gpu, cpu] = [await losses('webgpu', kind), await losses('wasm', kind)];
    expect(gpu.length).toBe(50);
    expect(cpu.length).toBe(50);
    const errors = gpu.map((loss, i) => Math.abs(loss - (cpu[i] ?? Number.NaN)) / loss);
    expect(errors[0]).toBeLessThan(1e-5);
    expect(Math.max(...errors)).toBeLessThan(1e-3);
    // The curve is no constant.
    expect(gpu.at(-1)).toBeLessThan(0.8 * (gpu[0] ?? 0));
  },
);
