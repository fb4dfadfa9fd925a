import { proxy, wrap } from 'comlink';
import type { Engine, EngineError } from '../engine';

/**
 * The engine in its worker. `onCrash` is told if the worker dies; calls then stay without an answer.
 *
 * The worker starts from a blob, because it then inherits this document's security policy: one from a URL would have only what the
 * server's headers say, and a plain file server says nothing. The blob holds the whole script and does not import it, since in
 * Firefox what a blob's worker asks for passes by the service worker, and without a network there would be no script. Where its files
 * are, it cannot tell from its own address; `WORKER_URL` is that address (tools/web/build.mjs).
 *
 * @throws where the script cannot be fetched
 */
export async function startEngine(onCrash: (error: EngineError) => void): Promise<Engine> {
  const url = new URL('./worker.js', import.meta.url);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`worker.js could not be fetched (status ${response.status})`);
  const address = `const WORKER_URL = ${JSON.stringify(url.href)};\n`;
  const source = new Blob([address, await response.blob()], { type: 'text/javascript' });
  const worker = new Worker(URL.createObjectURL(source), { type: 'module', name: 'engine' });
  worker.addEventListener('error', (event) => {
    onCrash({
      name: 'WorkerError',
      message: event.message || 'the part of this page that computes could not start',
      hint: 'Reload the page; if it stays so, another browser may help',
    });
  });
  const remote = wrap<Engine>(worker);
  return {
    open: (listener) => remote.open(proxy(listener)),
    chooseDevice: (choice) => remote.chooseDevice(choice),
    loadBackbone: (choice) => remote.loadBackbone(choice),
    cancelLoading: () => remote.cancelLoading(),
    readTable: (source) => remote.readTable(source),
    applyColumns: (tableId, columns) => remote.applyColumns(tableId, columns),
    createTask: (settings) => remote.createTask(settings),
    renameTask: (taskId, name) => remote.renameTask(taskId, name),
    removeTask: (taskId) => remote.removeTask(taskId),
    examplesOf: (taskId) => remote.examplesOf(taskId),
    setExamples: (taskId, examples) => remote.setExamples(taskId, examples),
    checkExamples: (kind, examples) => remote.checkExamples(kind, examples),
    train: (taskId, options) => remote.train(taskId, options),
    pause: (taskId) => remote.pause(taskId),
    cancel: (taskId) => remote.cancel(taskId),
    predict: (taskId, text, pair) => remote.predict(taskId, text, pair),
    download: (taskId) => remote.download(taskId),
    upload: (files) => remote.upload(files),
  };
}

/** Whatever a call was rejected with, as an error to show. */
export function asEngineError(reason: unknown): EngineError {
  if (typeof reason !== 'object' || reason === null) return { name: 'Error', message: String(reason) };
  const text = (key: string): string | undefined => {
    const value = new Map<string, unknown>(Object.entries(reason)).get(key);
    return typeof value === 'string' ? value : undefined;
  };
  const error = reason instanceof Error ? reason : undefined;
  return {
    name: error?.name ?? text('name') ?? 'Error',
    message: error?.message ?? text('message') ?? 'something went wrong',
    hint: text('hint'),
  };
}
