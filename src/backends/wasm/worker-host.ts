import workerSource from '../../../build/wasm-worker.txt';
import { GraftError } from '../../errors';
import { startWorker, type WorkerHandle } from '../../platform/worker';
import type { WasmBuild } from '../../wasm/builds';
import { createMemory } from '../../wasm/instance';
import { compileModule, memoryLimits } from '../../wasm/module';
import { type Host, type HostProgram, type HostRun, kernelFailed } from './host';
import { Meeting } from './meeting';
import type { FromWorker, ToWorker } from './messages';
import type { Call } from './runner';
import { scratchAddress } from './scratch';

const PAGE = 65_536;

interface Pending {
  /** What a worker said of a kernel that failed. */
  trouble?: string;
  readonly resolve: (reply: FromWorker) => void;
  readonly reject: (error: Error) => void;
}

export interface WorkerHostOptions {
  readonly build: WasmBuild;
  readonly threads: number;
  /** One memory for all workers. Without it there can be one worker only, and its memory is its own. */
  readonly isShared: boolean;
  readonly note?: string | undefined;
}

/** Runs kernels in workers; the calling thread never waits. Several share one memory and every call of a program. */
export class WorkerHost implements Host {
  readonly threads: number;
  readonly note: string | undefined;
  readonly #memory: WebAssembly.Memory | undefined;
  readonly #workers: WorkerHandle<ToWorker>[] = [];
  readonly #pending = new Map<number, Pending>();
  readonly #starting: Pending[] = [];
  #base = 0;
  #requests = 0;
  #programs = 0;
  #failure: GraftError | undefined;

  private constructor({ threads, note }: WorkerHostOptions, memory: WebAssembly.Memory | undefined) {
    this.threads = threads;
    this.note = note;
    this.#memory = memory;
  }

  /** Rejects where workers or shared memory cannot be had here. */
  static async create(options: WorkerHostOptions): Promise<WorkerHost> {
    const { build, isShared } = options;
    const limits = await memoryLimits(build);
    const module = await compileModule(build, isShared);
    const host = new WorkerHost(options, isShared ? createMemory(limits, true) : undefined);
    try {
      await host.#start(module, host.#memory ?? limits);
      await host.grow(host.#base);
    } catch (error) {
      host.dispose();
      throw error;
    }
    return host;
  }

  get base(): number {
    return this.#base;
  }

  async grow(byteLength: number): Promise<void> {
    if (this.#memory === undefined) {
      await this.#ask((request) => ({ kind: 'grow', request, byteLength }));
      return;
    }
    const missing = Math.ceil(byteLength / PAGE) - this.#memory.buffer.byteLength / PAGE;
    if (missing > 0) this.#memory.grow(missing);
  }

  write(pointer: number, words: Uint32Array): void {
    if (this.#memory !== undefined) {
      new Uint32Array(this.#memory.buffer, pointer, words.length).set(words);
      return;
    }
    const copy = words.slice();
    this.#workers[0]?.post({ kind: 'write', pointer, words: copy }, [copy.buffer]);
  }

  clear(pointer: number, byteLength: number): void {
    if (this.#memory !== undefined) new Uint8Array(this.#memory.buffer, pointer, byteLength).fill(0);
    else this.#workers[0]?.post({ kind: 'clear', pointer, byteLength });
  }

  async read(pointer: number, floats: number): Promise<Float32Array<ArrayBuffer>> {
    if (this.#memory !== undefined) return new Float32Array(this.#memory.buffer, pointer, floats).slice();
    const reply = await this.#ask((request) => ({ kind: 'read', request, pointer, floats }));
    return reply.kind === 'data' ? reply.floats : new Float32Array(0);
  }

  prepare(calls: readonly Call[]): HostProgram {
    const program = this.#programs++;
    const meeting = this.threads === 1 ? undefined : Meeting.forCalls(calls.length);
    this.#postAll({ kind: 'prepare', program, calls, meeting: meeting?.shared });
    return {
      run: async (run: HostRun) => {
        meeting?.reset();
        const reply = await this.#ask((request) => ({ kind: 'run', request, program, ...run }));
        return reply.kind === 'done' ? reply.times : undefined;
      },
      dispose: () => this.#postAll({ kind: 'forget', program }),
    };
  }

  dispose(): void {
    this.#fail('the runtime was disposed of');
    for (const worker of this.#workers) worker.terminate();
    this.#workers.length = 0;
  }

  async #start(module: WebAssembly.Module, memory: Extract<ToWorker, { kind: 'start' }>['memory']) {
    const ready: Promise<FromWorker>[] = [];
    for (let index = 0; index < this.threads; index++) {
      ready.push(new Promise((resolve, reject) => this.#starting.push({ resolve, reject })));
      const worker = startWorker<ToWorker, FromWorker>(workerSource, `graft ${index}`, {
        message: (reply) => this.#take(reply, index),
        failed: (reason) => this.#fail(reason),
      });
      this.#workers.push(worker);
      worker.post({ kind: 'start', module, memory, index, threads: this.threads });
    }
    const replies = await Promise.all(ready);
    for (const worker of this.#workers) worker.keepAlive(false);
    const [first] = replies;
    this.#base = scratchAddress(first?.kind === 'ready' ? first.heapBase : 0, this.threads);
  }

  #postAll(message: ToWorker): void {
    for (const worker of this.#workers) worker.post(message);
  }

  /** Posts a message to all workers and waits for the reply of the first. */
  #ask(message: (request: number) => ToWorker): Promise<FromWorker> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const request = this.#requests++;
    return new Promise((resolve, reject) => {
      this.#pending.set(request, { resolve, reject });
      if (this.#pending.size === 1) this.#workers[0]?.keepAlive(true);
      this.#postAll(message(request));
    });
  }

  #take(reply: FromWorker, index: number): void {
    if (reply.kind === 'ready') {
      this.#starting[index]?.resolve(reply);
    } else if (reply.kind === 'trouble') {
      const pending = this.#pending.get(reply.request);
      if (pending !== undefined) pending.trouble ??= reply.reason;
    } else if (reply.kind === 'failed' && reply.request === undefined) {
      this.#fail(reply.reason);
    } else if (reply.request !== undefined) {
      const pending = this.#pending.get(reply.request);
      this.#pending.delete(reply.request);
      if (this.#pending.size === 0) this.#workers[0]?.keepAlive(false);
      const isWhole = reply.kind === 'data' || (reply.kind === 'done' && reply.isComplete);
      if (isWhole) pending?.resolve(reply);
      else pending?.reject(kernelFailed(reply.kind === 'failed' ? reply.reason : pending.trouble));
    }
  }

  /** Nothing can be computed any more. */
  #fail(reason: string): void {
    this.#failure ??= new GraftError(`The CPU backend's workers are gone: ${reason}`);
    for (const { reject } of [...this.#starting, ...this.#pending.values()]) reject(this.#failure);
    this.#pending.clear();
  }
}
