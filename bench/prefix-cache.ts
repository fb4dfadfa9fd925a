/**
 * Seconds per epoch with the layers below the lowest adapter computed each time and kept, run after run in turn:
 *   npm run bench:prefix-cache -- BACKBONE TSV [ROWS] [LAYERS,LAYERS…] [webgpu|wasm]
 * TSV is SST-2's training file (text, label); LAYERS are like 3-5.
 */
import { readFileSync } from 'node:fs';
import { type Backbone, createRuntime, type Example, houlsby, loadBackbone } from '../src/index';

const EPOCHS = 3;

interface Timed {
  /** Of each epoch. */
  readonly seconds: readonly number[];
  readonly losses: readonly number[];
  readonly memoryBytes: number;
}

async function time(
  backbone: Backbone,
  examples: readonly Example[],
  adapterLayers: readonly number[],
  prefixCache: 'auto' | 'off',
): Promise<Timed> {
  const task = await backbone.createTask({ labels: ['0', '1'], adapter: houlsby(), adapterLayers });
  const seconds: number[] = [];
  const losses: number[] = [];
  let memoryBytes = 0;
  let started = performance.now();
  for await (const report of task.train(examples, { epochs: EPOCHS, prefixCache })) {
    if (report.type === 'step') losses.push(report.loss);
    if (report.type === 'epoch') {
      seconds.push((performance.now() - started) / 1000);
      started = performance.now();
      memoryBytes = report.prefixCache?.memoryBytes ?? 0;
    }
  }
  task.dispose();
  return { seconds, losses, memoryBytes };
}

function layersOf(text: string): number[] {
  const [first = 0, last = first] = text.split('-').map(Number);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

const [source = '.cache/minilm', tsv = '../shared/data/sst2/train.tsv', rows = '1000', layers = '3-5,5'] =
  process.argv.slice(2);
const backend = process.argv[6] === 'webgpu' ? 'webgpu' : 'wasm';
const lines = readFileSync(tsv, 'utf8')
  .split('\n')
  .slice(1, Number(rows) + 1);
const examples = lines.map((line): Example => {
  const [text = '', label = ''] = line.split('\t');
  return { text, label };
});
const runtime = await createRuntime({ backend });
const backbone = await loadBackbone(source, { runtime });
console.log(`${runtime.device.name}: ${source}, ${examples.length} texts, Houlsby 64, ${EPOCHS} epochs`);
for (const range of layers.split(',')) {
  const runs: { readonly off: Timed; readonly kept: Timed }[] = [];
  for (let turn = 0; turn < 2; turn++) {
    const off = await time(backbone, examples, layersOf(range), 'off');
    runs.push({ off, kept: await time(backbone, examples, layersOf(range), 'auto') });
  }
  const fastest = (which: 'off' | 'kept', epoch: number) =>
    Math.min(...runs.map((run) => run[which].seconds[epoch] ?? Number.NaN));
  const epochs = Array.from({ length: EPOCHS }, (_, epoch) => epoch);
  for (const which of ['off', 'kept'] as const) {
    const shown = epochs.map((epoch) => fastest(which, epoch).toFixed(2)).join('  ');
    console.log(`layers ${range}, ${which.padEnd(4)}: ${shown} s`);
  }
  const total = (which: 'off' | 'kept') => epochs.reduce((sum, epoch) => sum + fastest(which, epoch), 0);
  const later = fastest('off', EPOCHS - 1) / fastest('kept', EPOCHS - 1);
  const isEqual = runs.every(({ off, kept }) => off.losses.join() === kept.losses.join());
  const size = ((runs[0]?.kept.memoryBytes ?? 0) / 2 ** 20).toFixed(1);
  console.log(
    `  last epoch ×${later.toFixed(2)}, all ×${(total('off') / total('kept')).toFixed(2)}; ${size} MiB kept; ` +
      `losses ${isEqual ? 'equal, bit for bit' : 'DIFFER'}`,
  );
}
runtime.dispose();
process.exit(0);
