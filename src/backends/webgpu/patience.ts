/**
 * Waiting without polling. Dawn for Node asks the device for news on every turn of the event loop, without pause, so the waiting
 * thread keeps a core busy. A software driver computes on the same cores: on two of them that took more than half of its speed.
 */

/** The most that other work of this thread waits for its turn, in milliseconds. */
const LONGEST_NAP = 2;
const SHORTEST_NAP = 0.05;

// Made when needed: a page may be without SharedArrayBuffer.
let nothing: Int32Array<SharedArrayBuffer> | undefined;

/** Waits for `promise` in naps between turns of the event loop, short ones at first. Only for Node: a page may not block. */
export async function napUntil<T>(promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  promise.then(settle, settle);
  for (let nap = SHORTEST_NAP; ; nap = Math.min(nap * 2, LONGEST_NAP)) {
    // The turn comes first: what is ready already costs no nap.
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (isSettled) return promise;
    nothing ??= new Int32Array(new SharedArrayBuffer(4));
    Atomics.wait(nothing, 0, 0, nap);
  }
}
