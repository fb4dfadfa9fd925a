/** TensorFlow.js on its WASM backend, SIMD and threads, or on WebGPU. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { recordBlobSources, sourceOf } from '../blob-sources.mjs';
import { provideNavigator } from '../webgpu.mjs';

const require = createRequire(import.meta.url);

/** { tf, setup }: the library on the backend asked for; with `threads` '1' as it comes, without the workers below. */
export async function openTfjs(backend, threads) {
  // Both backends look at the globals as they are loaded.
  await provideNavigator({ gpu: backend === 'webgpu' });
  const hasThreads = threads !== '1';
  if (backend === 'wasm' && hasThreads) provideThreads();
  const tf = require('@tensorflow/tfjs');
  let setup = 'WebGPU (Dawn)';
  if (backend === 'wasm') {
    const wasm = require('@tensorflow/tfjs-backend-wasm');
    // In Node it declares threads unsupported (tensorflow/tfjs#3830): with the workers below they are.
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', hasThreads);
    const folder = dirname(require.resolve('@tensorflow/tfjs-backend-wasm'));
    wasm.setWasmPaths(`${folder}/`);
    if (hasThreads) wasm.setThreadsCount(availableParallelism());
    await start(tf, backend);
    setup = hasThreads ? `WASM, SIMD, ${wasm.getThreadsCount()} threads` : 'WASM, SIMD, one thread';
  } else {
    require('@tensorflow/tfjs-backend-webgpu');
    await start(tf, backend);
  }
  return { tf, setup };
}

async function start(tf, backend) {
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs cannot start its ${backend} backend`);
  await tf.ready();
}

/** What the threads' script, the text of a function inside tfjs's bundle, refers to outside of itself. */
const BUNDLE_NAMES = `
  var require$$0 = require('fs'), require$$1 = require('path');
  var require$$3 = require('perf_hooks'), require$$4 = require('os');
  var commonjsGlobal = globalThis, _scriptDir = '';
`;

/** Its threads are workers from a blob that load a script from another blob: both become what Node can run. */
function provideThreads() {
  recordBlobSources();
  // It takes at most half of the processors that it counts; to use all, they must count double.
  const os = require('node:os');
  const processors = os.cpus();
  os.cpus = () => [...processors, ...processors];
  const threads = require('node:worker_threads');
  const folder = mkdtempSync(join(tmpdir(), 'tfjs-threads-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  threads.Worker = class extends threads.Worker {
    constructor(url) {
      super(sourceOf(url), { eval: true });
    }

    postMessage(message, transfer) {
      if (message.cmd !== 'load') return super.postMessage(message, transfer);
      const script = join(folder, 'main.js');
      writeFileSync(script, BUNDLE_NAMES + sourceOf(message.urlOrBlob));
      return super.postMessage({ ...message, urlOrBlob: script }, transfer);
    }
  };
}
