/** jax-js on its WASM backend with a worker for each thread of the machine, or on WebGPU. */
import { Worker as NodeWorker } from 'node:worker_threads';
import { recordBlobSources, sourceOf } from '../blob-sources.mjs';
import { provideNavigator } from '../webgpu.mjs';

/** { jax, setup }: the library with the backend asked for as its default device. */
export async function openJax(backend, threads) {
  // It looks at the globals as it is loaded.
  await provideNavigator({
    gpu: backend === 'webgpu',
    ...(threads === undefined ? {} : { threads: Number(threads) }),
  });
  recordBlobSources();
  globalThis.Worker = BrowserWorker;
  const jax = await import('@jax-js/jax');
  const devices = await jax.init(backend);
  if (!devices.includes(backend)) throw new Error(`jax-js cannot start its ${backend} backend`);
  jax.defaultDevice(backend);
  const setup =
    backend === 'webgpu' ? 'WebGPU (Dawn)' : `WASM, ${globalThis.navigator.hardwareConcurrency} workers`;
  return { jax, setup };
}

/** What a worker's script expects of a browser. */
const PRELUDE = `
  const { parentPort } = require('node:worker_threads');
  globalThis.self = globalThis;
  globalThis.postMessage = (message) => parentPort.postMessage(message);
  parentPort.on('message', (data) => self.onmessage({ data }));
`;

/** A browser's Worker, as far as jax-js uses it. */
class BrowserWorker {
  #worker;

  constructor(url) {
    this.#worker = new NodeWorker(`${PRELUDE}\n${sourceOf(url)}`, { eval: true });
    this.#worker.on('message', (data) => this.onmessage?.({ data }));
    this.#worker.on('error', (error) => this.onerror?.(error));
  }

  postMessage(message) {
    this.#worker.postMessage(message);
  }
}
