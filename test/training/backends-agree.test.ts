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

async function losses(backend: 'webgpu' | 'wasm'): Promise<number[]> {
  const runtime = await createRuntime({ backend });
  const backbone = await loadBackbone(goldenPath('bert', 'checkpoint'), { runtime });
  const task = await backbone.createTask({
    labels: ['fresh', 'stale'],
    adapter: houlsby({ bottleneck: 8 }),
    dropout: 0.1,
    maxLength: 32,
  });
  const curve: number[] = [];
  for await (const report of task.train(examples, { epochs: 2, batchSize: 8, learningRate: 1e-3, seed: 3 })) {
    if (report.type === 'step') curve.push(report.loss);
  }
  runtime.dispose();
  return curve;
}

it('over 50 steps with dropout', { timeout: 120_000 }, async () => {
  const [gpu, cpu] = [await losses('webgpu'), await losses('wasm')];
  expect(gpu.length).toBe(50);
  expect(cpu.length).toBe(50);
  const errors = gpu.map((loss, i) => Math.abs(loss - (cpu[i] ?? Number.NaN)) / loss);
  expect(errors[0]).toBeLessThan(1e-5);
  expect(Math.max(...errors)).toBeLessThan(1e-3);
  // The curve is no constant.
  expect(gpu.at(-1)).toBeLessThan(0.8 * (gpu[0] ?? 0));
});
