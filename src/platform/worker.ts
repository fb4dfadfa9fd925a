/** Workers that run a script given as text: Web Workers in a browser, worker_threads in Node and Deno. */
import { platform } from './platform';

export interface WorkerHandle<Message> {
  post(message: Message, transfer?: ArrayBuffer[]): void;
  /** Whether it keeps the process alive (Node, Deno). At first it does. */
  keepAlive(isNeeded: boolean): void;
  terminate(): void;
}

export interface WorkerListeners<Reply> {
  message(reply: Reply): void;
  /** It could not start, threw where nothing caught it, or ended by itself. */
  failed(reason: string): void;
}

/**
 * Starts a worker. `source` is a classic script (no import statements); it finds its port by `workerPort`.
 * Throws where the page's policy or the runtime forbids workers; what goes wrong later is told to `failed`.
 */
export function startWorker<Message, Reply>(
  source: string,
  name: string,
  listeners: WorkerListeners<Reply>,
): WorkerHandle<Message> {
  return platform.hasFileSystem
    ? startThread(source, name, listeners)
    : startWebWorker(source, name, listeners);
}

/** Cores, or 1 where it is not told. */
export function coreCount(): number {
  if (platform.hasFileSystem) return process.getBuiltinModule('node:os').availableParallelism();
  return globalThis.navigator?.hardwareConcurrency ?? 1;
}

function startThread<Message, Reply>(
  source: string,
  name: string,
  listeners: WorkerListeners<Reply>,
): WorkerHandle<Message> {
  const { Worker: Thread } = process.getBuiltinModule('node:worker_threads');
  const thread = new Thread(source, { eval: true, name });
  let isEnded = false;
  thread.on('message', (reply: Reply) => listeners.message(reply));
  thread.on('error', (error) => listeners.failed(String(error)));
  thread.on('exit', (code) => {
    if (!isEnded) listeners.failed(`the thread ended with code ${code}`);
  });
  return {
    post: (message, transfer) => thread.postMessage(message, transfer),
    keepAlive: (isNeeded) => (isNeeded ? thread.ref() : thread.unref()),
    terminate() {
      isEnded = true;
      void thread.terminate();
    },
  };
}

function startWebWorker<Message, Reply>(
  source: string,
  name: string,
  listeners: WorkerListeners<Reply>,
): WorkerHandle<Message> {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(url, { name });
  worker.addEventListener('message', (event: MessageEvent<Reply>) => listeners.message(event.data));
  worker.addEventListener('error', (event) =>
    listeners.failed(event.message || 'the worker could not start'),
  );
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    keepAlive() {},
    terminate() {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}

/** The other end, inside the worker. */
export interface WorkerPort<Message, Reply> {
  post(reply: Reply, transfer?: ArrayBuffer[]): void;
  onMessage(listener: (message: Message) => void): void;
}

export function workerPort<Message, Reply>(): WorkerPort<Message, Reply> {
  const parentPort = platform.hasFileSystem
    ? process.getBuiltinModule('node:worker_threads').parentPort
    : null;
  if (parentPort !== null) {
    return {
      post: (reply, transfer) => parentPort.postMessage(reply, transfer),
      onMessage: (listener) => void parentPort.on('message', (message: Message) => listener(message)),
    };
  }
  return {
    post: (reply, transfer = []) => globalThis.postMessage(reply, { transfer }),
    onMessage: (listener) => {
      globalThis.addEventListener('message', (event: MessageEvent<Message>) => listener(event.data));
    },
  };
}
