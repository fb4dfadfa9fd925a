/** The user pressed Ctrl-C; the message says what has been kept. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/**
 * Runs `work` with a signal that the first Ctrl-C aborts, so that it can save its state; the second ends the process
 * at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onInterrupt = () => {
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write('\ngraft: stopping (Ctrl-C again ends it at once)\n');
    controller.abort();
  };
  process.on('SIGINT', onInterrupt);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}
