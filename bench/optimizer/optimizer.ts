import { AdamW, BERT_ADAMW, type ParameterSegment } from '../../src/training/optimizer';
import { Random } from '../../src/training/random';
import { defineTable, type Table } from '../report/table';
import { median } from '../statistics';

/** Adapters as they are trained: an encoder's width and layers, and the bottleneck. */
const SIZES = [
  { name: 'MiniLM, bottleneck 64', hiddenSize: 384, layers: 6, bottleneck: 64 },
  { name: '0.9 M numbers', hiddenSize: 768, layers: 9, bottleneck: 32 },
  { name: 'BERT-base, bottleneck 64', hiddenSize: 768, layers: 12, bottleneck: 64 },
] as const;

const WARM_UP = 30;

/** AdamW with the norm and clipping, one thread. `rounds` steps are timed of each size. */
export async function benchOptimizer(rounds: number): Promise<Table> {
  const rows = [];
  for (const size of SIZES) {
    const { parameters, segments } = segmentsOf(size);
    const times = await timeSteps(segments, rounds);
    rows.push({
      adapter: size.name,
      parameters,
      tensors: segments.length,
      median: median(times),
      fastest: Math.min(...times),
      rate: parameters / median(times) / 1000,
    });
  }
  return defineTable({
    name: 'optimizer',
    title: 'AdamW, norm and clipping included, one thread',
    notes: [],
    columns: [
      { key: 'adapter', label: 'adapter' },
      { key: 'parameters', label: 'numbers', digits: 0 },
      { key: 'tensors', label: 'tensors', digits: 0 },
      { key: 'median', label: 'ms, median', digits: 3 },
      { key: 'fastest', label: 'ms, fastest', digits: 3 },
      { key: 'rate', label: 'M numbers/s', digits: 0 },
    ],
    rows,
  });
}

/** The tensors of Houlsby adapters: hidden × bottleneck matrices and short vectors. */
function segmentsOf({ hiddenSize, layers, bottleneck }: (typeof SIZES)[number]) {
  const segments: ParameterSegment[] = [];
  let size = 0;
  let parameters = 0;
  const matrix = hiddenSize * bottleneck;
  // Two sites a layer: down, its bias, up, its bias, and the LayerNorm's gamma and beta.
  const lengths = [matrix, bottleneck, matrix, hiddenSize, hiddenSize, hiddenSize];
  for (let site = 0; site < 2 * layers; site++) {
    for (const length of lengths) {
      segments.push({ offset: size, length, decay: length === matrix });
      size += Math.ceil(length / 64) * 64;
      parameters += length;
    }
  }
  return { parameters, segments };
}

/** Milliseconds of each `step`. */
async function timeSteps(segments: readonly ParameterSegment[], rounds: number): Promise<number[]> {
  const last = segments.at(-1);
  const size = last === undefined ? 0 : last.offset + last.length;
  const adamw = await AdamW.create({ ...BERT_ADAMW, segments, size, biasCorrection: false });
  const random = new Random(0, 'bench');
  for (const arena of [adamw.parameters, adamw.gradients]) {
    for (let i = 0; i < size; i++) arena[i] = random.truncatedNormal(0.01);
  }
  const times: number[] = [];
  for (let round = 0; round < WARM_UP + rounds; round++) {
    const start = performance.now();
    adamw.step({ learningRate: 1e-4, clipNorm: 1 });
    if (round >= WARM_UP) times.push(performance.now() - start);
  }
  return times;
}
