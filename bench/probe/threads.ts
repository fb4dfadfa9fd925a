import workerSource from '../../build/probe-worker.txt';
import { GraftError } from '../../src/errors';
import { startWorker, type WorkerHandle } from '../../src/platform/worker';
import type { FromProbe, ToProbe } from './messages';

interface Waiting {
  readonly resolve: (reply: FromProbe) => void;
  readonly reject: (error: Error) => void;
}

/** Threads that all run the same probe at the same time, each with a memory of its own. */
export class ProbeThreads {
  readonly #workers: WorkerHandle<ToProbe>[] = [];
  readonly #waiting: (Waiting | undefined)[] = [];
  #chains = 0;

  private constructor(count: number) {
    for (let index = 0; index < count; index++) {
      this.#workers.push(
        startWorker<ToProbe, FromProbe>(workerSource, `probe ${index}`, {
          message: (reply) => this.#take(index, reply),
          failed: (reason) => this.#take(index, { kind: 'failed', reason }),
        }),
      );
    }
  }

  /** Rejects with GraftError where workers cannot be had. */
  static async start(count: number, module: WebAssembly.Module): Promise<ProbeThreads> {
    const threads = new ProbeThreads(count);
    try {
      const [first] = await threads.#askAll({ kind: 'start', module });
      threads.#chains = first?.kind === 'ready' ? first.chains : 0;
      return threads;
    } catch (error) {
      threads.dispose();
      throw error;
    }
  }

  /** Accumulators of four lanes in each thread. */
  get chains(): number {
    return this.#chains;
  }

  /** Milliseconds until all threads are through. Rejects with GraftError where one computed a wrong result. */
  async time(message: ToProbe): Promise<number> {
    const started = performance.now();
    await this.#askAll(message);
    return performance.now() - started;
  }

  dispose(): void {
    for (const worker of this.#workers) worker.terminate();
  }

  #askAll(message: ToProbe): Promise<FromProbe[]> {
    return Promise.all(
      this.#workers.map(
        (worker, index) =>
          new Promise<FromProbe>((resolve, reject) => {
            this.#waiting[index] = { resolve, reject };
            worker.post(message);
          }),
      ),
    );
  }

  #take(index: number, reply: FromProbe): void {
    const waiting = this.#waiting[index];
    this.#waiting[index] = undefined;
    if (reply.kind === 'failed') waiting?.reject(new GraftError(`a probe failed: ${reply.reason}`));
    else waiting?.resolve(reply);
  }
}
