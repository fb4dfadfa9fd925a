/** Calls `action` at most once in `interval` milliseconds, and once more after the last request. */
export function throttled(interval: number, action: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = Number.NEGATIVE_INFINITY;
  return () => {
    if (timer !== undefined) return;
    timer = setTimeout(
      () => {
        timer = undefined;
        last = performance.now();
        action();
      },
      Math.max(0, last + interval - performance.now()),
    );
  };
}

/** Calls `action` when no request has come for `pause` milliseconds; `flush` calls it now if one is open. */
export function debounced(pause: number, action: () => void): { request(): void; flush(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = () => {
    timer = undefined;
    action();
  };
  return {
    request() {
      clearTimeout(timer);
      timer = setTimeout(run, pause);
    },
    flush() {
      if (timer === undefined) return;
      clearTimeout(timer);
      run();
    },
  };
}
