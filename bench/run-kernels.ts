/** The kernels, one by one, on this machine's device. Names on the command line choose among them. */
import { WebGPUBackend } from '../src/backends/webgpu/backend';
import { benchAdapter } from './kernels/adapter';
import { benchAttention } from './kernels/attention';
import { benchLayerNorm } from './kernels/layer_norm';
import { benchLinear } from './kernels/linear';
import type { Row } from './kernels/measure';

const benchmarks: Readonly<Record<string, (backend: WebGPUBackend) => Promise<Row[]>>> = {
  linear: benchLinear,
  adapter: benchAdapter,
  attention: benchAttention,
  layer_norm: benchLayerNorm,
};

const chosen = process.argv.slice(2);
for (const name of chosen) {
  if (!(name in benchmarks)) {
    throw new RangeError(`there is no benchmark ${name}; there are ${Object.keys(benchmarks).join(', ')}`);
  }
}
const backend = await WebGPUBackend.create();
console.log(backend.device.name);
for (const [name, run] of Object.entries(benchmarks)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  for (const { kernel, shape, milliseconds, gflops, gigabytesPerSecond } of await run(backend)) {
    const rate =
      gflops === undefined ? `${gigabytesPerSecond?.toFixed(2)} GB/s` : `${gflops.toFixed(2)} GFLOP/s`;
    console.log(`${kernel.padEnd(26)}${shape.padEnd(26)}${milliseconds.toFixed(2).padStart(9)} ms  ${rate}`);
  }
}
backend.dispose();
