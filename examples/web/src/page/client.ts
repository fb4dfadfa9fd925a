import { proxy, wrap } from 'comlink';
import type { Engine, EngineError } from '../engine';

/**
 * The engine in its worker. `onCrash` is told if the worker cannot start or dies; calls then stay without an answer.
 *
 * The worker's own script is a line that imports worker.js: a worker from a blob inherits this document's security policy, while
 * one from a URL would have only what the server's headers say, and a plain file server says nothing.
 */
export function startEngine(onCrash: (error: EngineError) => void): Engine {
  const script = new URL('./worker.js', import.meta.url).href;
  const source = new Blob([`import ${JSON.stringify(script)};`], { type: 'text/javascript' });
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
