/**
 * A fresh process up to the end of its first training step: `child.js BACKBONE BACKEND`, examples as JSON on stdin. Prints
 * when each stage ended, in milliseconds since the process began, as one JSON object.
 */
import { readFileSync } from 'node:fs';
import type { Stages } from './stages';

// `performance.now()` counts from the beginning of the process.
const start = performance.now();
// The built library, as its users load it: tools/bench puts dist/graft.js in the place of the sources.
const { createRuntime, houlsby, loadBackbone } = await import('../../src/index');
const library = performance.now();
const [, , directory = '', backend] = process.argv;
const examples: { text: string; label: string }[] = JSON.parse(readFileSync(0, 'utf8'));
const labels = [...new Set(examples.map(({ label }) => label))];
const device = await createRuntime({ backend: backend === 'webgpu' ? 'webgpu' : 'wasm' });
const runtime = performance.now();
const weights = await loadBackbone(directory, { runtime: device });
const backbone = performance.now();
const untrained = await weights.createTask({ labels, adapter: houlsby({ bottleneck: 32 }) });
const task = performance.now();
for await (const report of untrained.train(examples, { epochs: 1, batchSize: examples.length })) {
  if (report.type !== 'step') continue;
  const stages: Stages = { start, library, runtime, backbone, task, step: performance.now() };
  process.stdout.write(JSON.stringify(stages), () => process.exit(0));
  break;
}
