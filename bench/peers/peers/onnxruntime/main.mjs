/** ONNX Runtime Web on its WASM backend as a contestant: batches padded to their longest sentence. */
import { availableParallelism } from 'node:os';
import { readForwardBatches, readTensors } from '../../inputs-format';
import { serve, timed } from '../../serve';
import { encoderModel } from './encoder';

/** Added to the scores of padding: e to this is 0 in f32. */
const MASKED = -10000;

await serve({ forward });

async function forward({ inputs, settings }) {
  const ort = await import('onnxruntime-web');
  const threads = availableParallelism();
  ort.env.wasm.numThreads = threads;
  const model = encoderModel(await readTensors(inputs, 'encoder/model.safetensors'), settings.operators);
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
  });
  const feeds = readForwardBatches(inputs).map((batch) => feedOf(ort, batch, session.inputNames));
  const [output] = session.outputNames;
  const all = async () => {
    const pooled = [];
    for (const feed of feeds) pooled.push(...(await session.run(feed))[output].data);
    return Float32Array.from(pooled);
  };
  return {
    setup: `WASM, ${threads} threads, ${settings.operators} operators, padded`,
    check: await all(),
    round: () => timed(1, all),
  };
}

function feedOf({ Tensor }, batch, names) {
  const length = Math.max(...batch.map((ids) => ids.length));
  const ids = new Int32Array(batch.length * length);
  const mask = new Float32Array(batch.length * length).fill(MASKED);
  batch.forEach((sequence, i) => {
    ids.set(sequence, i * length);
    mask.fill(0, i * length, i * length + sequence.length);
  });
  const lengths = Int32Array.from(batch, (sequence) => sequence.length);
  const feed = {
    ids: new Tensor('int32', ids, [batch.length, length]),
    positions: new Tensor(
      'int32',
      Int32Array.from({ length }, (_, i) => i),
      [length],
    ),
    mask: new Tensor('float32', mask, [batch.length, 1, 1, length]),
    lengths: new Tensor('int32', lengths, [batch.length]),
  };
  return Object.fromEntries(names.map((name) => [name, feed[name]]));
}
