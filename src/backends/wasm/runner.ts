import { GraftError } from '../../errors';
import type { WasmFunction, WasmInstance } from '../../wasm/instance';
import type { Meeting } from './meeting';
import type { RunMessage } from './messages';

/** One kernel of a program and the addresses of its parameters and of its buffers' addresses. */
export interface Call {
  readonly kernel: string;
  readonly params: number;
  readonly buffers: number;
}

export interface RunOutcome {
  /** False where a kernel failed, in this thread or in another. */
  readonly isComplete: boolean;
  /** What this thread's kernel threw. */
  readonly error: unknown;
  /** Whether all other threads have left the run. */
  readonly isLast: boolean;
  /** Milliseconds of each call, where they were asked for. */
  readonly times: Float64Array<ArrayBuffer> | undefined;
}

interface ReadyCall {
  readonly kernel: WasmFunction;
  readonly params: number;
  readonly buffers: number;
}

interface Program {
  readonly calls: readonly ReadyCall[];
  readonly meeting: Meeting | undefined;
}

/** Runs programs on one instance: alone, or as one of several threads that walk through the same program together. */
export class Runner {
  readonly #instance: WasmInstance;
  readonly #threads: number;
  readonly #programs = new Map<number, Program>();

  constructor(instance: WasmInstance, threads: number) {
    this.#instance = instance;
    this.#threads = threads;
  }

  prepare(program: number, calls: readonly Call[], meeting: Meeting | undefined): void {
    const ready = calls.map(({ kernel, params, buffers }) => {
      return { kernel: this.#instance.function(kernel), params, buffers };
    });
    this.#programs.set(program, { calls: ready, meeting });
  }

  forget(program: number): void {
    this.#programs.delete(program);
  }

  /** With several threads it returns when all are through, or one has failed. */
  run(message: RunMessage): RunOutcome {
    const program = this.#programs.get(message.program);
    if (program === undefined) throw new GraftError(`there is no program ${message.program}`);
    const times = message.isTimed ? new Float64Array(program.calls.length) : undefined;
    let isComplete = true;
    let error: unknown;
    try {
      isComplete = this.#walk(program, message, times);
    } catch (thrown) {
      program.meeting?.abort();
      isComplete = false;
      error = thrown;
    }
    const isLast = program.meeting?.leave(this.#threads) ?? true;
    return { isComplete, error, isLast, times };
  }

  /** False where another thread failed. */
  #walk(program: Program, message: RunMessage, times: Float64Array | undefined): boolean {
    for (const [index, call] of program.calls.entries()) {
      const started = times === undefined ? 0 : performance.now();
      const items = message.items[index] ?? 0;
      // Nobody has to wait for nothing.
      if (items === 0) continue;
      if (program.meeting === undefined) {
        call.kernel(call.params, message.batch, call.buffers, 0, items);
      } else if (!this.#share(program.meeting, index, call, items, message)) {
        return false;
      }
      if (times !== undefined) times[index] = performance.now() - started;
    }
    return true;
  }

  /** This thread's part of a call; false where another thread failed. */
  #share(meeting: Meeting, index: number, call: ReadyCall, items: number, message: RunMessage): boolean {
    const chunk = message.chunks[index] ?? items;
    for (;;) {
      const first = meeting.take(index, chunk);
      if (first >= items) break;
      const last = Math.min(first + chunk, items);
      call.kernel(call.params, message.batch, call.buffers, first, last);
    }
    return meeting.complete(index, this.#threads);
  }
}
