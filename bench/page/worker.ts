/** Measures in a worker, so that the page stays alive: kernels on the CPU block the thread that they run on. */
import { createRuntime } from '../../src/training/runtime';
import { benchKernels } from '../kernels/run';
import { sizeOf } from '../kernels/size';
import type { BenchDocument } from '../report/table';
import { FULL_EFFORT, QUICK_EFFORT } from '../timing';
import { describeBrowser } from './machine';
import type { PageSettings, WorkerMessage } from './messages';

const FULL_SEQUENCES = 16;
const QUICK_SEQUENCES = 1;
const LENGTH = 32;

async function measure({ backend, shape, quick }: PageSettings): Promise<BenchDocument> {
  await using runtime = await createRuntime({ backend });
  const { compute } = runtime;
  const tables = await benchKernels({
    backend: compute,
    sizes: [sizeOf(shape, quick ? QUICK_SEQUENCES : FULL_SEQUENCES, LENGTH)],
    ops: undefined,
    effort: quick ? QUICK_EFFORT : FULL_EFFORT,
    onProgress: (progress) => send({ type: 'progress', ...progress }),
  });
  return { machine: describeBrowser(compute), isQuick: quick, tables };
}

function send(message: WorkerMessage): void {
  postMessage(message);
}

addEventListener('message', async ({ data }: MessageEvent<PageSettings>) => {
  try {
    send({ type: 'done', document: await measure(data) });
  } catch (error) {
    send({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
});
