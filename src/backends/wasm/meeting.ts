/**
 * Where the threads of a pool meet during a run: for each call a counter of the items that are taken and a counter of the
 * threads that are through, and one number, the phase, that says how many calls are complete.
 *
 * Whoever is through early first watches the phase for some microseconds, since most calls end together; then it sleeps.
 */
const PHASE = 0;
const SLEEPERS = 1;
const ABORTED = 2;
const LEFT = 3;
const HEADER = 16;
/** Looks at the phase before sleeping: some 20 µs. */
const SPINS = 4000;

export class Meeting {
  readonly shared: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #calls: number;

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.#words = new Int32Array(shared);
    this.#calls = (this.#words.length - HEADER) / 2;
  }

  static forCalls(calls: number): Meeting {
    return new Meeting(new SharedArrayBuffer((HEADER + 2 * calls) * 4));
  }

  /** Before a run, when the last thread has left the one before: a thread that still slept would miss its waking. */
  reset(): void {
    this.#words.fill(0);
  }

  /** The first of `chunk` items that nobody else has of call `call`; may lie beyond the last. */
  take(call: number, chunk: number): number {
    return Atomics.add(this.#words, HEADER + call, chunk);
  }

  /** Waits until all `threads` are through call `call`; false where one of them failed. */
  complete(call: number, threads: number): boolean {
    const arrived = Atomics.add(this.#words, HEADER + this.#calls + call, 1) + 1;
    if (arrived === threads) {
      Atomics.store(this.#words, PHASE, call + 1);
      if (Atomics.load(this.#words, SLEEPERS) > 0) Atomics.notify(this.#words, PHASE);
    } else {
      this.#await(call);
    }
    return Atomics.load(this.#words, ABORTED) === 0;
  }

  /** At the end of a run, complete or not: whether all others have left before. */
  leave(threads: number): boolean {
    return Atomics.add(this.#words, LEFT, 1) + 1 === threads;
  }

  /** Frees the threads that wait; the run is lost. */
  abort(): void {
    Atomics.store(this.#words, ABORTED, 1);
    Atomics.store(this.#words, PHASE, this.#calls + 1);
    Atomics.notify(this.#words, PHASE);
  }

  #await(call: number): void {
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.load(this.#words, PHASE) > call) return;
    }
    Atomics.add(this.#words, SLEEPERS, 1);
    for (;;) {
      const phase = Atomics.load(this.#words, PHASE);
      if (phase > call) break;
      Atomics.wait(this.#words, PHASE, phase);
    }
    Atomics.sub(this.#words, SLEEPERS, 1);
  }
}
