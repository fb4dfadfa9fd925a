/**
 * AdamW with the norm and clipping, one thread, at the sizes of real adapters:
 *
 *   npx esbuild bench/optimizer.ts --bundle --format=esm --platform=node --target=es2022 \
 *     --loader:.wasm=binary --outfile=build/bench/optimizer.js && node build/bench/optimizer.js
 */
import { pathToFileURL } from 'node:url';
import { AdamW, BERT_ADAMW, type ParameterSegment } from '../src/training/optimizer';
import { Random } from '../src/training/random';

export interface OptimizerTiming {
  readonly parameters: number;
  readonly segments: number;
  /** Of one `step`, in milliseconds. */
  readonly medianMs: number;
  readonly fastestMs: number;
}

const WARM_UP = 30;
const ROUNDS = 200;

/** Times `step` over arenas of tensors as Houlsby adapters have them: hidden·bottleneck matrices and short vectors. */
export async function benchOptimizer(
  hiddenSize: number,
  layers: number,
  bottleneck: number,
): Promise<OptimizerTiming> {
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
  const adamw = await AdamW.create({ ...BERT_ADAMW, segments, size, biasCorrection: false });
  const random = new Random(0, 'bench');
  adamw.parameters.forEach((_, i, arena) => {
    arena[i] = random.truncatedNormal(0.01);
  });
  adamw.gradients.forEach((_, i, arena) => {
    arena[i] = random.truncatedNormal(0.01);
  });
  const times: number[] = [];
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const start = performance.now();
    adamw.step({ learningRate: 1e-4, clipNorm: 1 });
    if (round >= WARM_UP) times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return {
    parameters,
    segments: segments.length,
    medianMs: times[ROUNDS / 2] ?? Number.NaN,
    fastestMs: times[0] ?? Number.NaN,
  };
}

export async function printOptimizer(): Promise<void> {
  for (const [name, hiddenSize, layers, bottleneck] of [
    ['MiniLM-L6, bottleneck 64', 384, 6, 64],
    ['0.9M parameters', 768, 9, 32],
    ['BERT-base, bottleneck 64', 768, 12, 64],
  ] as const) {
    const { parameters, segments, medianMs, fastestMs } = await benchOptimizer(
      hiddenSize,
      layers,
      bottleneck,
    );
    const rate = (parameters / medianMs / 1000).toFixed(0);
    console.log(
      `AdamW, ${name}: ${parameters} parameters in ${segments} tensors, median ${medianMs.toFixed(2)} ms, ` +
        `fastest ${fastestMs.toFixed(2)} ms, ${rate} M parameters/s`,
    );
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  await printOptimizer();
